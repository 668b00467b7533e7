/**
 * A bounded queue of frames in shared memory, from one producer thread to one consumer thread. The producer never waits to put a
 * frame; the consumer frees frames only when they are durable, so what is queued is what a crash would lose.
 */
import { Buffer } from "node:buffer"

/** Indices into the control words. */
const HEAD = 0 // bytes ever put, modulo 2^32
const TAIL = 1 // bytes ever freed, modulo 2^32
const WAKE = 2 // counts what the consumer should look at
const URGENT = 3 // 1: commit without waiting for more
const DURABLE = 4 // frames ever freed, modulo 2^32
const FAILED = 5 // 1: the consumer takes no more
const words = 6

export class Ring {
  readonly memory: SharedArrayBuffer
  readonly capacity: number
  private readonly control: Int32Array
  private readonly data: Buffer

  /** `memory` comes from `Ring.allocate`, on either side. */
  constructor(memory: SharedArrayBuffer) {
    this.memory = memory
    this.control = new Int32Array(memory, 0, words)
    this.capacity = memory.byteLength - words * 4
    this.data = Buffer.from(memory, words * 4, this.capacity)
  }

  /** `capacity`: bytes, a power of two. */
  static allocate(capacity: number): SharedArrayBuffer {
    return new SharedArrayBuffer(words * 4 + capacity)
  }

  get queuedBytes(): number {
    return (Atomics.load(this.control, HEAD) - Atomics.load(this.control, TAIL)) >>> 0
  }

  get durableFrames(): number {
    return Atomics.load(this.control, DURABLE) >>> 0
  }

  get failed(): boolean {
    return Atomics.load(this.control, FAILED) === 1
  }

  fail(): void {
    Atomics.store(this.control, FAILED, 1)
    Atomics.notify(this.control, TAIL)
  }

  /** Copies a frame in; false when there is no room for it now. */
  put(frame: Uint8Array): boolean {
    if (this.queuedBytes + frame.length > this.capacity) return false
    const head = Atomics.load(this.control, HEAD) >>> 0
    const start = head % this.capacity
    const first = Math.min(frame.length, this.capacity - start)
    this.data.set(first === frame.length ? frame : frame.subarray(0, first), start)
    if (first < frame.length) this.data.set(frame.subarray(first), 0)
    Atomics.store(this.control, HEAD, (head + frame.length) | 0)
    return true
  }

  /** Copies out at most `count` queued bytes from the oldest on, without freeing them. */
  peek(count: number): Buffer {
    const copy = Buffer.allocUnsafe(Math.min(count, this.queuedBytes))
    const start = (Atomics.load(this.control, TAIL) >>> 0) % this.capacity
    const first = Math.min(copy.length, this.capacity - start)
    this.data.copy(copy, 0, start, start + first)
    if (first < copy.length) this.data.copy(copy, first, 0, copy.length - first)
    return copy
  }

  free(byteCount: number, frameCount: number): void {
    Atomics.add(this.control, DURABLE, frameCount)
    Atomics.add(this.control, TAIL, byteCount)
    Atomics.notify(this.control, TAIL)
  }

  /** Blocks the producer until something was freed, the consumer failed, or `milliseconds` passed. */
  waitForRoom(milliseconds: number): void {
    const tail = Atomics.load(this.control, TAIL)
    if (!this.failed) Atomics.wait(this.control, TAIL, tail, milliseconds)
  }

  signal(urgent: boolean): void {
    if (urgent) Atomics.store(this.control, URGENT, 1)
    Atomics.add(this.control, WAKE, 1)
    Atomics.notify(this.control, WAKE)
  }

  /** The count of signals so far: read it, look at the queue, then `sleep` on it and no signal is lost. */
  get signals(): number {
    return Atomics.load(this.control, WAKE)
  }

  sleep(signals: number, milliseconds: number): void {
    Atomics.wait(this.control, WAKE, signals, milliseconds)
  }

  takeUrgent(): boolean {
    return Atomics.exchange(this.control, URGENT, 0) === 1
  }
}
