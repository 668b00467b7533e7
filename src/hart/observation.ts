/**
 * What somebody outside wants to be told of: instructions about to be executed, accesses to memory, interrupts, exceptions, changes of
 * registers. The hart then ends its run: before the instruction at a breakpoint and before an interrupt is taken; after the instruction
 * that made an access, raised an exception or changed a register. Going on changes nothing that a guest can see.
 *
 * Loads and stores stay as quick as they are: a page with watched memory gets no entry in the TLB, so that each access to it is looked at
 * where a TLB miss is. A page with a breakpoint has a record of its own there, and no regions.
 */
import {
  callI32,
  type Expr,
  type FunctionBuilder,
  type FunctionRef,
  i32,
  i64,
  type ModuleBuilder,
} from "../wasm/index.ts"
import {
  ACTIVE,
  BREAKPOINTS,
  HIT,
  IN_REGION,
  OBSERVES,
  PASSED_AT,
  PASSED_HART,
  STATE_WATCHES,
  STATE_WATCHES_KNOWN,
  STATE_WATCHES_MAX,
  WATCH_BYTES,
  WATCHES,
} from "./layout.ts"
import { access } from "./pmp.ts"
import { exitReason, get32, get64, set32 } from "./state.ts"

/** Bits of OBSERVES. */
export const observes = { breakpoints: 1, memory: 2, state: 4, interrupts: 8, exceptions: 16 } as const

/** What was met, in HIT. */
export const hitKind = { breakpoint: 1, read: 2, write: 3, interrupt: 4, exception: 5, state: 6 } as const

/** What `watched` gives. */
export const nearness = { far: 0, samePage: 1, hit: 2 } as const

/** 1 where it is asked for. */
export const isObserved = (what: keyof typeof observes): Expr<"i32"> =>
  i32.ne(i32.and(i32.load(OBSERVES), observes[what]), 0)

/** Instructions the running hart has executed, as far as `count` in its state is right. */
const executed = (): Expr<"i64"> => i64.sub(get64("target"), i64.extendu(i32.add(get32("count"), get32("held"))))

/** Whether the running hart stands where it was told of before. */
export const isPassed = (): Expr<"i32"> =>
  i32.and(i32.eq(i32.load(PASSED_HART), i32.wrap(get64("mhartid"))), i64.eq(i64.load(PASSED_AT), executed()))

/** Ends the run, and says why; the budget has to be put aside by the caller. */
export const report = (f: FunctionBuilder, kind: number): void => {
  f.storeI32(HIT, kind)
  f.if(i32.eqz(get32("exitReason")), () => set32(f, "exitReason", exitReason.observed))
}

/** Says which access it was. */
export const reportAccess = (
  f: FunctionBuilder,
  kind: number,
  virtual: Expr<"i64">,
  physical: Expr<"i64">,
  bytes: Expr<"i32">,
): void => {
  report(f, kind)
  f.storeI32(HIT, bytes, 4)
  f.storeI64(HIT, virtual, 8)
  f.storeI64(HIT, physical, 16)
}

export interface Observation {
  /** `isBreakpoint(pc)`: 1 where the hart has to stop before the instruction at pc. */
  readonly isBreakpoint: FunctionRef
  /** `watched(virtual, physical, bytes, access)`: one of `nearness`. */
  readonly watched: FunctionRef
  /** `stateChanged()`: 1 where a watched field is not what was known; it is known afterwards. */
  readonly stateChanged: FunctionRef
}

export const defineObservation = (module: ModuleBuilder): Observation => {
  const isBreakpoint = module.function("isBreakpoint", { params: ["i64"], result: "i32" }, f => {
    const pc = f.param(0, "i64")
    f.if(isPassed(), () => f.return(i32.const(0)))
    const left = f.let(i32.load(BREAKPOINTS))
    f.block(done => {
      f.loop(next => {
        f.brIf(done, i32.eqz(left))
        f.set(left, i32.sub(left, 1))
        f.if(i64.eq(i64.load(i32.shl(left, 3), BREAKPOINTS + 8), pc), () => f.return(i32.const(1)))
        f.br(next)
      })
    })
    f.return(i32.const(0))
    f.unreachable()
  })

  const watched = module.function("watched", { params: ["i64", "i64", "i32", "i32"], result: "i32" }, f => {
    const [virtual, physical] = [f.param(0, "i64"), f.param(1, "i64")]
    const [bytes, kind] = [f.param(2, "i32"), f.param(3, "i32")]
    const near = f.let(i32.const(nearness.far))
    const entry = f.let(i32.const(0))
    const end = f.let(i32.mul(i32.load(WATCHES), WATCH_BYTES))
    f.block(done => {
      f.loop(next => {
        f.brIf(done, i32.geu(entry, end))
        const kinds = f.let(i32.load(entry, WATCHES + 8 + 16))
        // An AMO reads by the TLB's entry for writing: a page whose reads are watched gets neither.
        f.if(i32.or(i32.and(kinds, kind), i32.eq(kind, access.write)), () => {
          const address = f.let(i64.select(virtual, physical, i32.load(entry, WATCHES + 8 + 20)))
          const first = f.let(i64.load(entry, WATCHES + 8))
          const last = f.let(i64.load(entry, WATCHES + 16))
          const lastOfAccess = i64.add(address, i64.extendu(i32.sub(bytes, 1)))
          const isHit = i32.and(i64.leu(address, last), i64.leu(first, lastOfAccess))
          f.if(i32.and(isHit, i32.ne(i32.and(kinds, kind), 0)), () => f.return(i32.const(nearness.hit)))
          f.if(i32.and(i64.leu(i64.and(address, ~0xfffn), last), i64.leu(first, i64.or(address, 0xfffn))), () =>
            f.set(near, nearness.samePage),
          )
        })
        f.set(entry, i32.add(entry, WATCH_BYTES))
        f.br(next)
      })
    })
    f.return(near)
    f.unreachable()
  })

  const stateChanged = module.function(
    "stateChanged",
    { params: [], result: "i32" },
    f => {
      const changed = f.let(i32.const(0))
      const left = f.let(i32.load(STATE_WATCHES))
      const known = f.let(i32.mul(i32.wrap(get64("mhartid")), STATE_WATCHES_MAX * 8))
      f.block(done => {
        f.loop(next => {
          f.brIf(done, i32.eqz(left))
          f.set(left, i32.sub(left, 1))
          const value = f.let(i64.load(i32.load(i32.shl(left, 2), STATE_WATCHES + 8), ACTIVE))
          const place = f.let(i32.add(known, i32.shl(left, 3)))
          f.if(i64.ne(i64.load(place, STATE_WATCHES_KNOWN), value), () => {
            f.storeI64(place, value, STATE_WATCHES_KNOWN)
            f.set(changed, 1)
          })
          f.br(next)
        })
      })
      f.return(changed)
      f.unreachable()
    },
    { exported: true },
  )
  return { isBreakpoint, watched, stateChanged }
}

/** What `watched` says of an access, 0 while no memory is watched. */
export const nearnessOf = (
  f: FunctionBuilder,
  observation: Observation,
  virtual: Expr<"i64">,
  physical: Expr<"i64">,
  bytes: Expr<"i32">,
  kind: Expr<"i32">,
): Expr<"i32"> => {
  const near = f.local("i32")
  f.set(near, 0)
  f.if(isObserved("memory"), () => f.set(near, callI32(observation.watched, virtual, physical, bytes, kind)))
  return near
}

/** Has `body`'s look-ups in memory known as those of a region. */
export const asRegion = (f: FunctionBuilder, body: () => void): void => {
  f.storeI32(IN_REGION, 1)
  body()
  f.storeI32(IN_REGION, 0)
}
