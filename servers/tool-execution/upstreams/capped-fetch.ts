const MAX_RESPONSE_BYTES = 16 * 1024 * 1024

/** Goes to the one address it is given, follows no redirect, and cuts an answer that does not end. */
export async function cappedFetch(url: string | URL, init?: RequestInit): Promise<Response> {
  const response = await fetch(url, { ...init, redirect: 'error' })
  if (!response.body) return response
  let bytes = 0
  const cap = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      bytes += chunk.byteLength
      if (bytes > MAX_RESPONSE_BYTES) controller.error(new Error('answer too large'))
      else controller.enqueue(chunk)
    },
  })
  return new Response(response.body.pipeThrough(cap), response)
}
