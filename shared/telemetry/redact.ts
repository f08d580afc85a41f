/**
 * Takes secrets out of a finished log line. It works on the text, after serialisation, because that is the one place every
 * field, message and stack passes; a list of known paths misses the next field somebody adds.
 */
const SECRET_KEY =
  /"([\w.-]{0,64}(?:password|passwd|passphrase|secret|token|api_?-?key|service_?key|private_?key|authorization|cookie|credential)[\w.-]{0,32})":"(?:[^"\\]|\\.)*"/gi

const SECRET_VALUES: readonly [RegExp, string][] = [
  [/\b(Bearer|Basic)\s+[\w.~+/=-]{8,}/gi, '$1 [redacted]'],
  [/\b([a-z][a-z0-9+.-]{1,20}:\/\/[^\s:/@"]{0,128}):[^\s@"]{1,256}@/gi, '$1:[redacted]@'],
  [/\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*/g, '[redacted jwt]'],
  [/\b(?:sk|pk|rk)[-_](?:live|test|ant|proj|or)?[-_]?[A-Za-z0-9_-]{16,}/g, '[redacted key]'],
  [/\bgh[pousr]_[A-Za-z0-9]{20,}|\bgithub_pat_\w{20,}/g, '[redacted key]'],
  [/\bglpat-[\w-]{16,}|\bxox[abprs]-[\w-]{10,}|\bnpm_[A-Za-z0-9]{20,}|\bhf_[A-Za-z0-9]{20,}/g, '[redacted key]'],
  [/\b(?:AKIA|ASIA)[A-Z0-9]{16}\b|\bAIza[\w-]{30,}/g, '[redacted key]'],
  [/-----BEGIN [A-Z ]{0,32}PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]{0,32}PRIVATE KEY-----|$)/g, '[redacted key]'],
  [/([?&](?:access_token|token|key|api_key|signature|sig|password|secret)=)[^&\s"]+/gi, '$1[redacted]'],
]

/** The line with every secret-looking key's value and every secret-shaped value replaced. */
export function redact(line: string): string {
  let out = line.replace(SECRET_KEY, '"$1":"[redacted]"')
  for (const [shape, replacement] of SECRET_VALUES) out = out.replace(shape, replacement)
  return out
}
