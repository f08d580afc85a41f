import { hmac } from '@noble/hashes/hmac.js'
import { md5, sha1 } from '@noble/hashes/legacy.js'
import { sha256, sha384, sha512 } from '@noble/hashes/sha2.js'
import { bytesToHex } from '@noble/hashes/utils.js'
import { encode, fromUint8Array, isValid, toUint8Array } from 'js-base64'
import { type BuiltinTool, refuse } from '../builtins/builtin-tool.ts'

const FUNCTIONS = { sha256, sha384, sha512, sha1, md5 }

export const tool: BuiltinTool = {
  version: '1.0.0',
  title: 'Hash',
  description:
    'Hashes a text or bytes with SHA-256, SHA-384, SHA-512, SHA-1 or MD5; with a key it is an HMAC. MD5 and SHA-1 are for checksums only, not for security.',
  input_schema: {
    type: 'object',
    properties: {
      text: { type: 'string', description: 'Hashed as UTF-8' },
      base64: { type: 'string', description: 'Bytes, instead of text' },
      algorithm: { enum: ['sha256', 'sha384', 'sha512', 'sha1', 'md5'], description: 'sha256' },
      key: { type: 'string', description: 'Of an HMAC; recorded with the call, so no secret' },
    },
    oneOf: [{ required: ['text'] }, { required: ['base64'] }],
    additionalProperties: false,
  },
  output_schema: {
    type: 'object',
    properties: {
      hex: { type: 'string' },
      base64: { type: 'string' },
      bytes: { type: 'integer', description: 'Hashed' },
    },
    required: ['hex', 'base64', 'bytes'],
  },
}

interface Input {
  text?: string
  base64?: string
  algorithm?: keyof typeof FUNCTIONS
  key?: string
}

export default function hash({ text = '', base64, algorithm = 'sha256', key }: Input) {
  if (base64 !== undefined && !isValid(base64)) refuse('base64', 'is not base64')
  const data = base64 === undefined ? utf8(text) : toUint8Array(base64)
  const digest = key === undefined ? FUNCTIONS[algorithm](data) : hmac(FUNCTIONS[algorithm], utf8(key), data)
  return { hex: bytesToHex(digest), base64: fromUint8Array(digest), bytes: data.length }
}

function utf8(text: string): Uint8Array {
  return toUint8Array(encode(text))
}
