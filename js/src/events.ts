/** One event of a Server-Sent Events stream. */
export interface ServerSentEvent {
  event: string
  data: string
}

/**
 * Parses `text/event-stream` (WHATWG HTML §9.2.6) from chunks. A chunk can end anywhere. The pieces of an unfinished
 * line are stored separately and joined once at the end, because a line can have megabytes in thousands of chunks.
 */
export class EventStreamParser {
  readonly #maxLength: number
  #pieces: string[] = []
  #length = 0
  #afterCarriageReturn = false
  #first = true
  #data: string[] = []
  #event = ''

  /** @param maxLength the maximum number of characters of an unfinished event */
  constructor(maxLength: number) {
    this.#maxLength = maxLength
  }

  /** Returns the events that this chunk completes. Throws a RangeError if an event exceeds the limit. */
  push(chunk: string): ServerSentEvent[] {
    const events: ServerSentEvent[] = []
    const lineEnd = /\r\n?|\n/g
    let start = 0
    if (this.#first && chunk !== '') {
      this.#first = false
      if (chunk.startsWith('\ufeff')) start = 1
    }
    if (this.#afterCarriageReturn && chunk !== '') {
      this.#afterCarriageReturn = false
      if (chunk[start] === '\n') start++
    }
    lineEnd.lastIndex = start
    for (let end = lineEnd.exec(chunk); end !== null; end = lineEnd.exec(chunk)) {
      this.#grow(chunk.slice(start, end.index))
      const line = this.#pieces.join('')
      this.#pieces = []
      start = lineEnd.lastIndex
      this.#afterCarriageReturn = end[0] === '\r' && start === chunk.length
      const event = this.#line(line)
      if (event !== undefined) events.push(event)
    }
    if (start < chunk.length) this.#grow(chunk.slice(start))
    return events
  }

  #grow(piece: string): void {
    this.#length += piece.length
    if (this.#length > this.#maxLength) throw new RangeError(`an event of more than ${this.#maxLength} characters`)
    this.#pieces.push(piece)
  }

  #line(line: string): ServerSentEvent | undefined {
    if (line === '') return this.#dispatch()
    const colon = line.indexOf(':')
    const field = colon < 0 ? line : line.slice(0, colon)
    const value = colon < 0 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1)
    if (field === 'data') this.#data.push(value)
    else {
      this.#length -= line.length
      if (field === 'event') this.#event = value
    }
    return undefined
  }

  #dispatch(): ServerSentEvent | undefined {
    const data = this.#data
    const event = this.#event || 'message'
    this.#data = []
    this.#event = ''
    this.#length = 0
    return data.length === 0 ? undefined : { event, data: data.join('\n') }
  }
}
