/**
 * What a running Linux on RISC-V is doing: which task a hart executes, and which processes there are.
 *
 * As Linux has it (arch/riscv/kernel/entry.S, include/linux/sched.h): `tp` points to the current `task_struct` in the kernel, where
 * `sscratch` is 0; `sscratch` does in user mode. While they are being exchanged exactly one of them is an address of the kernel. Where
 * the members of `task_struct` lie is in the kernel's BTF.
 */
import type { Btf, BtfMember } from "./btf.ts"
import type { SymbolTable } from "./symbol-table.ts"

/** How a guest is looked at: without changing anything, and whatever its page tables let the current mode do. */
export interface GuestView {
  /** `length` bytes of memory as a hart's address translation finds them; null where nothing is mapped. */
  readonly readVirtual: (hart: number, address: bigint, length: number) => Uint8Array | null
  /** The value of `tp`, `sscratch`. */
  readonly register: (hart: number, name: string) => bigint
}

/** A thread of a process. */
export interface Task {
  /** Of its `task_struct`. */
  readonly address: bigint
  /** Of this thread; 0 for the one of each hart that idles. */
  readonly pid: number
  /** Of its process. */
  readonly tgid: number
  /** Its name, as far as the kernel keeps it: 15 bytes. */
  readonly comm: string
}

/** Virtual addresses of the kernel begin here. */
const KERNEL_HALF = 1n << 63n

/** Where a member of a struct lies, and its size. */
type Member = Pick<BtfMember, "offset" | "size">

/** What has to be known of a kernel to find its tasks: plain data. */
export interface LinuxFacts {
  readonly pid: Member
  readonly tgid: Member
  readonly comm: Member
  readonly tasks: Member
  /** The address of `init_task`. */
  readonly firstTask: bigint
}

const placeOf = ({ offset, size }: BtfMember): Member => ({ offset, size })

export class Linux {
  readonly facts: LinuxFacts
  private readonly view: GuestView

  constructor(facts: LinuxFacts, view: GuestView) {
    this.facts = facts
    this.view = view
  }

  /** null when symbols or types lack what is needed. */
  static of(symbols: SymbolTable, btf: Btf, view: GuestView): Linux | null {
    const members = btf.struct("task_struct")?.members
    const [pid, tgid, comm, tasks] = ["pid", "tgid", "comm", "tasks"].map(name => members?.get(name))
    const firstTask = symbols.find("init_task")
    if (!pid || !tgid || !comm || !tasks || !firstTask) return null
    const facts: LinuxFacts = {
      pid: placeOf(pid),
      tgid: placeOf(tgid),
      comm: placeOf(comm),
      tasks: placeOf(tasks),
      firstTask: firstTask.address,
    }
    return new Linux(facts, view)
  }

  /** What a hart executes, or on whose behalf; null before Linux has set itself up there, and in firmware. */
  currentTask(hart: number): Task | null {
    const address = ["sscratch", "tp"]
      .map(name => BigInt.asUintN(64, this.view.register(hart, name)))
      .find(value => value >= KERNEL_HALF)
    return address === undefined ? null : this.taskAt(hart, address)
  }

  /**
   * Every process by its first thread, in the order they were made, without the idle ones. Memory is read as `hart` sees it; the list ends
   * early where it cannot be read.
   */
  tasks(hart: number): readonly Task[] {
    const { tasks: list, firstTask } = this.facts
    const found: Task[] = []
    const start = firstTask + BigInt(list.offset)
    const met = new Set([start])
    for (let link = this.pointer(hart, start); link !== null && !met.has(link); link = this.pointer(hart, link)) {
      const task = this.taskAt(hart, link - BigInt(list.offset))
      if (task === null) break
      met.add(link)
      found.push(task)
    }
    return found
  }

  private taskAt(hart: number, address: bigint): Task | null {
    const { pid, tgid, comm } = this.facts
    const parts = [pid, tgid, comm].map(({ offset, size }) =>
      this.view.readVirtual(hart, address + BigInt(offset), size),
    )
    const [pidBytes, tgidBytes, commBytes] = parts
    if (!pidBytes || !tgidBytes || !commBytes) return null
    return { address, pid: int32(pidBytes), tgid: int32(tgidBytes), comm: text(commBytes) }
  }

  private pointer(hart: number, address: bigint): bigint | null {
    const bytes = this.view.readVirtual(hart, address, 8)
    return bytes && viewOf(bytes).getBigUint64(0, true)
  }
}

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)

const int32 = (bytes: Uint8Array): number => viewOf(bytes).getInt32(0, true)

const text = (bytes: Uint8Array): string => {
  const end = bytes.indexOf(0)
  return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end))
}
