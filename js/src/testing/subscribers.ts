/** The clients that follow the stream of lists (Server-Sent Events). */
export class Subscribers {
  readonly #streams = new Set<ReadableStreamDefaultController<Uint8Array>>()

  /** Returns a stream of `first` and of every later list. The stream ends when the reader cancels it. */
  stream(first: Promise<string>): ReadableStream<Uint8Array> {
    const streams = this.#streams
    let controller: ReadableStreamDefaultController<Uint8Array>
    return new ReadableStream({
      async start(started) {
        controller = started
        streams.add(controller)
        controller.enqueue(event(await first))
      },
      cancel: () => void streams.delete(controller),
    })
  }

  send(list: string): void {
    for (const stream of this.#streams) stream.enqueue(event(list))
  }
}

const event = (list: string) => new TextEncoder().encode(`data: ${list}\n\n`)
