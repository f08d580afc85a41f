/**
 * Messages between a server and its sandbox processes: two lengths (uint32, big endian), a small JSON head and a text body.
 * Not node's own IPC: that has no size cap, and its `advanced` form would deserialize bytes that a hostile process wrote.
 */
export interface FrameCaps {
  head: number
  body: number
}

/** The other side broke the framing or a cap; it can not be trusted any more. */
export class FrameError extends Error {}

const PREFIX_BYTES = 8

export function encodeFrame(head: object, body = ''): Buffer {
  const headText = JSON.stringify(head)
  const headBytes = Buffer.byteLength(headText)
  const bodyBytes = Buffer.byteLength(body)
  const frame = Buffer.allocUnsafe(PREFIX_BYTES + headBytes + bodyBytes)
  frame.writeUInt32BE(headBytes, 0)
  frame.writeUInt32BE(bodyBytes, 4)
  frame.write(headText, PREFIX_BYTES)
  frame.write(body, PREFIX_BYTES + headBytes)
  return frame
}

/** Cuts a byte stream into frames; throws FrameError before it would buffer more than one frame within the caps. */
export function frameReader(caps: FrameCaps, onFrame: (head: unknown, body: string) => void): (chunk: Buffer) => void {
  let pending: Buffer[] = []
  let size = 0
  let wanted = PREFIX_BYTES

  function readFrames(buffer: Buffer): Buffer {
    let offset = 0
    while (buffer.length - offset >= PREFIX_BYTES) {
      const headBytes = buffer.readUInt32BE(offset)
      const bodyBytes = buffer.readUInt32BE(offset + 4)
      if (headBytes > caps.head || bodyBytes > caps.body) throw new FrameError('frame over its cap')
      const end = offset + PREFIX_BYTES + headBytes + bodyBytes
      if (end > buffer.length) {
        wanted = end - offset
        return buffer.subarray(offset)
      }
      const bodyAt = offset + PREFIX_BYTES + headBytes
      onFrame(parseHead(buffer.toString('utf8', offset + PREFIX_BYTES, bodyAt)), buffer.toString('utf8', bodyAt, end))
      offset = end
    }
    wanted = PREFIX_BYTES
    return buffer.subarray(offset)
  }

  return (chunk) => {
    pending.push(chunk)
    size += chunk.length
    if (size < wanted) return
    const rest = readFrames(pending.length === 1 ? chunk : Buffer.concat(pending, size))
    pending = rest.length > 0 ? [rest] : []
    size = rest.length
  }
}

function parseHead(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new FrameError('frame head is not JSON', { cause })
  }
}
