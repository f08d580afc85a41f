import fc from 'fast-check'
import { expect, test } from 'vitest'
import { encodeFrame, FrameError, frameReader } from './frames.ts'

const CAPS = { head: 1000, body: 100_000 }

test('frames come out as they went in, however the bytes are cut', () => {
  const frame = fc.record({
    head: fc.dictionary(fc.string({ maxLength: 10 }), fc.integer()),
    body: fc.string({ unit: 'grapheme' }),
  })
  fc.assert(
    fc.property(
      fc.array(frame, { maxLength: 8 }),
      fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1 }),
      (frames, cuts) => {
        const got: unknown[] = []
        const read = frameReader(CAPS, (head, body) => got.push({ head, body }))
        let bytes = Buffer.concat(frames.map(({ head, body }) => encodeFrame(head, body)))
        for (let i = 0; bytes.length > 0; i++) {
          const size = cuts[i % cuts.length] ?? 1
          read(bytes.subarray(0, size))
          bytes = bytes.subarray(size)
        }
        expect(got).toEqual(JSON.parse(JSON.stringify(frames)))
      },
    ),
    { numRuns: 200 },
  )
})

test.each([
  ['a head over its cap', [2000, 0]],
  ['a body over its cap', [2, 200_000]],
])('%s is refused before it is buffered', (_name, [head = 0, body = 0]) => {
  const read = frameReader(CAPS, () => {})
  const prefix = Buffer.alloc(8)
  prefix.writeUInt32BE(head, 0)
  prefix.writeUInt32BE(body, 4)
  expect(() => read(prefix)).toThrow(FrameError)
})

test('a head that is not JSON is refused', () => {
  const read = frameReader(CAPS, () => {})
  expect(() => read(Buffer.from('\0\0\0\x02\0\0\0\0{]', 'latin1'))).toThrow(FrameError)
})
