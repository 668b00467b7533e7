import { describe, expect, test } from "vitest"
import { Uart } from "../../src/devices/index.ts"
import { below, Recorder, Wire } from "./support/bench.ts"
import { deviceLaws } from "./support/device-law.ts"

function bench() {
  const wire = new Wire()
  const sink = new Recorder()
  const uart = new Uart({ interrupt: wire, sink })
  const load = (offset: number): number => uart.load(offset, 1)
  const store = (offset: number, value: number): void => uart.store(offset, 1, value)
  return { wire, sink, uart, load, store }
}

const text = (value: string): Uint8Array => new TextEncoder().encode(value)

describe("uart", () => {
  test("sends what is written, at once", () => {
    const { sink, load, store } = bench()
    store(0, 0x41)
    expect(sink.bytes).toEqual([0x41])
    expect(load(5)).toBe(0x60)
  })

  test("is taken for a 16550A once its FIFOs are on", () => {
    const { load, store } = bench()
    expect(load(2)).toBe(0x01)
    store(2, 0x01)
    expect(load(2)).toBe(0xc1)
    store(7, 0x5a)
    expect(load(7)).toBe(0x5a)
    store(1, 0xff)
    expect(load(1)).toBe(0x0f)
  })

  test("hides the data registers behind the divisor latch", () => {
    const { sink, load, store } = bench()
    store(3, 0x83)
    store(0, 0x34)
    store(1, 0x12)
    expect([load(0), load(1)]).toEqual([0x34, 0x12])
    store(3, 0x03)
    expect([load(0), load(1), sink.bytes.length]).toEqual([0, 0, 0])
  })

  test("the transmitter interrupt rises when it is enabled and after each byte, and falls when it is identified", () => {
    const { wire, load, store } = bench()
    store(1, 0x02)
    expect(wire.level).toBe(true)
    expect(load(2)).toBe(0x02)
    expect(wire.level).toBe(false)
    expect(load(2)).toBe(0x01)
    store(0, 0x41)
    expect(wire.level).toBe(true)
    store(1, 0)
    expect(wire.level).toBe(false)
  })

  test("input interrupts until all of it is read", () => {
    const { wire, uart, load, store } = bench()
    expect(uart.receiveInterruptEnabled).toBe(false)
    store(2, 0xc1)
    store(1, 0x01)
    expect(uart.receiveInterruptEnabled).toBe(true)
    expect(uart.receive(text("twenty bytes of input"))).toBe(21)
    expect(uart.unreadBytes).toBe(21)
    expect(load(2)).toBe(0xc4)
    let read = ""
    while (load(5) & 1) read += String.fromCharCode(load(0))
    expect(read).toBe("twenty bytes of input")
    expect([wire.level, uart.unreadBytes, load(2)]).toEqual([false, 0, 0xc1])
  })

  test("input below the trigger level is told by the time-out", () => {
    const { wire, uart, load, store } = bench()
    store(2, 0xc1)
    store(1, 0x01)
    uart.receive(text("x"))
    expect([wire.level, load(2)]).toEqual([true, 0xcc])
  })

  test("a FIFO reset drops what is in the FIFO and nothing behind it", () => {
    const { uart, load, store } = bench()
    store(2, 0x01)
    uart.receive(text("0123456789abcdefXYZ"))
    store(2, 0x03)
    expect([uart.unreadBytes, load(0)]).toEqual([3, 0x58])
  })

  test("takes no more than 64 KiB ahead of the guest", () => {
    const { uart } = bench()
    expect(uart.receive(new Uint8Array(65536 + 10))).toBe(65536)
    expect(uart.receiveRoom).toBe(1)
  })

  test("loopback returns bytes and modem lines, and cuts off the outside", () => {
    const { sink, uart, load, store } = bench()
    store(2, 0x01)
    store(4, 0x1a)
    expect(load(6) & 0xf0).toBe(0x90)
    uart.receive(text("o"))
    store(0, 0x41)
    expect([load(5) & 1, load(0), load(5) & 1]).toEqual([1, 0x41, 0])
    expect(sink.bytes).toEqual([])
    store(4, 0)
    expect([load(6), load(0)]).toEqual([0xb0, 0x6f])
  })

  test("an overrun in loopback is a line status interrupt, cleared by reading the status", () => {
    const { wire, load, store } = bench()
    store(4, 0x10)
    store(1, 0x04)
    store(0, 1)
    store(0, 2)
    expect([wire.level, load(2), load(5), load(5), load(0)]).toEqual([true, 0x06, 0x63, 0x61, 2])
    expect(wire.level).toBe(false)
  })

  deviceLaws("uart", {
    offsets: [0, 0, 1, 2, 3, 4, 5, 6, 7],
    values: [0x01, 0x03, 0x05, 0xc1, 0x10, 0x83],
    makeRig: other => {
      const { wire, sink, uart } = bench()
      if (other !== undefined) sink.bytes.push(...(other.observe() as { output: number[] }).output)
      return {
        device: uart,
        observe: () => ({ level: wire.level, output: [...sink.bytes], unread: uart.unreadBytes }),
        stimulate: random => {
          uart.receive(random.bytes(below(random, 40)))
        },
      }
    },
  })
})
