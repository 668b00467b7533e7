/** Physical memory protection. RISC-V privileged ISA, section 3.7. */
import { PMP_ENTRIES } from "../riscv/csr.ts"
import { type Expr, type FunctionRef, i32, i64, type ModuleBuilder } from "../wasm/index.ts"
import { active, get32, get64, set32 } from "./state.ts"

/** Permission bits of a pmpcfg byte, the same as in a page-table entry shifted right by one. */
export const access = { read: 1, write: 2, execute: 4 } as const

const MODE_TOR = 1
const MODE_NA4 = 2
/** The modes of eight entries: an entry whose mode is zero is off. */
const MODES = 0x1818_1818_1818_1818n
const LOCKED = 0x80

/** The configuration byte of entry `index`: entries 0 to 7 lie in pmpcfg0, 8 to 15 in pmpcfg2. */
const configByte = (index: Expr<"i32">): Expr<"i32"> => {
  const gap = active("pmpcfg2") - active("pmpcfg0")
  if (gap !== 8) throw new Error("pmpcfg0 and pmpcfg2 must be neighbours")
  return i32.load8u(index, active("pmpcfg0"))
}

/**
 * `pmpAllows(address, bytes, access, privilege)`: 1 when the access may be made. Sets `uncacheable` when the answer does not hold
 * for the whole page. The lowest-numbered entry that matches any byte decides, and must match all of them.
 */
export const definePmp = (module: ModuleBuilder): FunctionRef =>
  module.function("pmpAllows", { params: ["i64", "i32", "i32", "i32"], result: "i32" }, f => {
    const address = f.param(0, "i64")
    const bytes = f.param(1, "i32")
    const wanted = f.param(2, "i32")
    const level = f.param(3, "i32")
    f.if(i32.or(get32("pmpOpen"), i32.and(get32("machineOpen"), i32.eq(level, 3))), () => f.return(i32.const(1)))
    const page = f.let(i64.and(address, ~0xfffn))
    const last = f.let(i64.add(address, i64.extendu(i32.sub(bytes, 1))))
    const index = f.local("i32")
    const config = f.local("i32")
    const mode = f.local("i32")
    const from = f.local("i64")
    const to = f.local("i64")
    const raw = f.local("i64")
    f.loop(next => {
      f.set(config, configByte(index))
      f.set(mode, i32.and(i32.shru(config, 3), 3))
      f.if(mode, () => {
        f.set(raw, i64.load(i32.shl(index, 3), active("pmpaddr")))
        // [from, to) in bytes; addresses are kept in units of four.
        f.if(
          i32.eq(mode, MODE_TOR),
          () => {
            f.set(from, 0)
            f.if(index, () => f.set(from, i64.shl(i64.load(i32.shl(index, 3), active("pmpaddr") - 8), 2)))
            f.set(to, i64.shl(raw, 2))
          },
          () =>
            f.if(
              i32.eq(mode, MODE_NA4),
              () => {
                f.set(from, i64.shl(raw, 2))
                f.set(to, i64.add(from, 4))
              },
              () => {
                // Trailing ones give the size: 8 bytes for none, doubled for each.
                const size = f.let(i64.shl(8, i64.ctz(i64.xor(raw, -1))))
                f.set(from, i64.and(i64.shl(raw, 2), i64.sub(0, size)))
                f.set(to, i64.add(from, size))
                // 2^57 and more: everything.
                f.if(i64.geu(i64.ctz(i64.xor(raw, -1)), 54), () => {
                  f.set(from, 0)
                  f.set(to, -1)
                })
              },
            ),
        )
        const overlapsPage = i32.and(i64.ltu(page, to), i64.ltu(from, i64.add(page, 4096)))
        f.if(overlapsPage, () => {
          const coversPage = i32.and(i64.leu(from, page), i64.geu(to, i64.add(page, 4096)))
          f.if(i32.eqz(coversPage), () => set32(f, "uncacheable", 1))
          f.if(i32.and(i64.ltu(address, to), i64.geu(last, from)), () => {
            f.if(i32.eqz(i32.and(i64.geu(address, from), i64.ltu(last, to))), () => f.return(i32.const(0)))
            f.if(i32.and(i32.eq(level, 3), i32.eqz(i32.and(config, LOCKED))), () => f.return(i32.const(1)))
            f.return(i32.eq(i32.and(config, wanted), wanted))
          })
        })
      })
      f.set(index, i32.add(index, 1))
      f.brIf(next, i32.ltu(index, PMP_ENTRIES))
    })
    // No entry matches: machine mode may, others may not.
    f.return(i32.eq(level, 3))
    f.unreachable()
  })

/**
 * `pmpChanged()`: recomputes `pmpOpen`: the first entry is unlocked or permissive, covers everything and gives all rights; and
 * `machineOpen`: no entry is on. One that is, locked or not, refuses machine mode what it covers in part.
 */
export const definePmpChanged = (module: ModuleBuilder): FunctionRef =>
  module.function(
    "pmpChanged",
    { params: [], result: null },
    f => {
      const first = i32.and(i32.wrap(get64("pmpcfg0")), 0x1f)
      const everything = i64.geu(i64.ctz(i64.xor(get64("pmpaddr"), -1)), 53)
      set32(f, "pmpOpen", i32.and(i32.eq(first, 0x1f), everything))
      const modes = i64.and(i64.or(get64("pmpcfg0"), get64("pmpcfg2")), MODES)
      set32(f, "machineOpen", i64.eqz(modes))
    },
    { exported: true },
  )
