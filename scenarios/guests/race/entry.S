// The first instructions of both harts, and the way into the panic.
// RISC-V Privileged Architecture, 3.1 (Machine-Level CSRs) and 3.3 (Machine-Mode Privileged Instructions).

        .section .text.entry, "ax"
        .globl  _start
        .type   _start, @function
_start:                                 // every hart: a0 = its number, a1 = address of the device tree
        li      t0, 2
        bgeu    a0, t0, park
        la      t0, trap
        csrw    mtvec, t0
        csrw    mscratch, a0
        li      t0, 1 << 3
        csrw    mie, t0                 // a call from the other hart may end a WFI; mstatus.MIE stays 0, so none traps
        mv      tp, a0                  // tp = this hart's number, all along
        la      sp, stacks
        addi    t0, a0, 1
        slli    t0, t0, 12
        add     sp, sp, t0              // sp = the end of this hart's 4 KiB
        bnez    a0, wait

        la      t0, bss_start           // hart 0 clears memory while the other holds still
        la      t1, bss_end
1:      sd      zero, 0(t0)
        addi    t0, t0, 8
        bltu    t0, t1, 1b
        mv      a0, a1
        tail    desk

wait:   wfi                             // WFI may return for no reason: look whether the call has come
        csrr    t0, mip
        andi    t0, t0, 1 << 3
        beqz    t0, wait
        tail    worker

park:   csrw    mie, zero
1:      wfi
        j       1b
        .size   _start, . - _start

        // No trap is expected. What the registers held is shown, and that is the end.
        .balign 4
        .globl  trap
        .type   trap, @function
trap:
        addi    sp, sp, -256
        .irp    n, 1,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
        sd      x\n, 8*\n(sp)
        .endr
        addi    t0, sp, 256
        sd      t0, 8*2(sp)
        mv      a0, sp
        tail    panic
        .size   trap, . - trap

        .bss
        .balign 16
        .type   stacks, @object
stacks: .zero   2 * 4096
        .size   stacks, . - stacks
