import { decode, fromUint8Array, isValid, encode as toBase64, toUint8Array } from 'js-base64'
import { type BuiltinTool, refuse } from '../builtins/builtin-tool.ts'
import { fromHtml } from '../builtins/html-text.ts'

export const tool: BuiltinTool = {
  version: '1.0.0',
  title: 'Encode and decode',
  description:
    'Encodes a text as base64, base64url, hex, URL component or HTML, or decodes it. Bytes are those of UTF-8; of the names of HTML it reads amp, lt, gt, quot, apos and nbsp.',
  input_schema: {
    type: 'object',
    properties: {
      text: { type: 'string' },
      as: { enum: ['base64', 'base64url', 'hex', 'url', 'html'] },
      decode: { type: 'boolean', description: 'Decodes instead' },
    },
    required: ['text', 'as'],
    additionalProperties: false,
  },
  output_schema: { type: 'object', properties: { text: { type: 'string' } }, required: ['text'] },
}

interface Codec {
  encode(text: string): string
  decode(text: string): string
}

const SIGNS: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

const CODECS: Record<string, Codec> = {
  base64: { encode: (text) => toBase64(text), decode: fromBase64 },
  base64url: { encode: (text) => toBase64(text, true), decode: fromBase64 },
  hex: { encode: toHex, decode: fromHex },
  url: { encode: encodeURIComponent, decode: decodeURIComponent },
  html: { encode: (text) => text.replace(/[&<>"']/g, (sign) => SIGNS[sign] ?? sign), decode: fromHtml },
}

export default function encode({ text, as, decode: back = false }: { text: string; as: string; decode?: boolean }) {
  const codec = CODECS[as]
  if (!codec) return refuse('as', 'is not known')
  if (!back) return { text: codec.encode(text) }
  try {
    return { text: codec.decode(text) }
  } catch {
    return refuse('text', `is not ${as} of a text in UTF-8`)
  }
}

function fromBase64(text: string): string {
  if (!isValid(text)) throw new Error('not base64')
  return fromBytes(toUint8Array(text))
}

/** Broken UTF-8 is refused, where a decoder alone would put signs of replacement. */
function fromBytes(bytes: Uint8Array): string {
  const text = decode(fromUint8Array(bytes))
  const again = toUint8Array(toBase64(text))
  if (again.length !== bytes.length || again.some((byte, i) => byte !== bytes[i])) throw new Error('not UTF-8')
  return text
}

function toHex(text: string): string {
  return [...toUint8Array(toBase64(text))].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}

function fromHex(text: string): string {
  if (!/^(?:[0-9a-f]{2})*$/i.test(text)) throw new Error('not hex')
  return fromBytes(Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16)))
}
