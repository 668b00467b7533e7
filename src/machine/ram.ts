/** Guest RAM as devices and loaders reach it: whatever is written there is seen by the harts at once. */
import type { GuestMemory } from "../devices/index.ts"
import type { HartCore } from "../hart/hart-core.ts"
import { RAM_BASE } from "../hart/layout.ts"

export class Ram implements GuestMemory {
  private readonly core: HartCore
  private readonly content: Uint8Array<ArrayBuffer>
  private readonly view: DataView

  constructor(core: HartCore) {
    this.core = core
    this.content = core.ram
    this.view = new DataView(this.content.buffer, this.content.byteOffset, this.content.length)
  }

  contains(address: number, length: number): boolean {
    return address >= RAM_BASE && address - RAM_BASE + length <= this.content.length
  }

  read(address: number, length: number): Uint8Array<ArrayBuffer> {
    this.core.needPages(address, length)
    return this.content.slice(address - RAM_BASE, address - RAM_BASE + length)
  }

  write(address: number, bytes: Uint8Array): void {
    this.core.needPages(address, bytes.length)
    this.content.set(bytes, address - RAM_BASE)
    this.core.ramChanged(address, bytes.length)
  }

  load16(address: number): number {
    this.core.needPages(address, 2)
    return this.view.getUint16(address - RAM_BASE, true)
  }

  load32(address: number): number {
    this.core.needPages(address, 4)
    return this.view.getUint32(address - RAM_BASE, true)
  }

  store16(address: number, value: number): void {
    this.core.needPages(address, 2)
    this.view.setUint16(address - RAM_BASE, value, true)
    this.core.ramChanged(address, 2)
  }

  store32(address: number, value: number): void {
    this.core.needPages(address, 4)
    this.view.setUint32(address - RAM_BASE, value, true)
    this.core.ramChanged(address, 4)
  }
}
