//! The system calls that a sandboxed command is refused, as a classic BPF program for the kernel.
//!
//! A list of what is refused, not of what is allowed: commands are compilers, test suites and whatever they start. What is
//! refused is no use without privileges (mounts, modules, keys), opens namespaces again, or has a history of kernel holes
//! (io_uring, bpf, userfaultfd). Assembled by hand, because the calls need three different answers in one filter.

use libc::{sock_filter as Instruction, *};

/// Which sockets may be opened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sockets {
    /// Local, IP, and asking the kernel about interfaces: for a network namespace of its own, with nothing in it.
    Contained,
    /// IP, and asking the kernel about interfaces: for who shares the machine's network, but no local socket of its.
    Internet,
    /// None. Pairs (socketpair) are still made; they reach nobody.
    Refused,
}

#[cfg(target_arch = "x86_64")]
const ARCHITECTURE: u32 = 0xC000_003E;
#[cfg(target_arch = "aarch64")]
const ARCHITECTURE: u32 = 0xC000_00B7;
/// Calls of the x32 ABI have this bit.
#[cfg(target_arch = "x86_64")]
const X32: u32 = 0x4000_0000;

/// Offsets in `struct seccomp_data`. Arguments have 64 bits; the low half comes first on our architectures.
const NUMBER: u32 = 0;
const ARCH: u32 = 4;
const ARGUMENT_0: u32 = 16;
const ARGUMENT_1: u32 = 24;
const ARGUMENT_2: u32 = 32;

/// As if this kernel had never heard of them: libraries have another way then. clone3 is here because its flags are behind a
/// pointer, where a filter cannot look.
const UNKNOWN: &[c_long] = &[
    SYS_clone3,
    SYS_io_uring_setup,
    SYS_io_uring_enter,
    SYS_io_uring_register,
];

const REFUSED: &[c_long] = &[
    // Namespaces and mounts.
    SYS_unshare,
    SYS_setns,
    SYS_mount,
    SYS_umount2,
    SYS_pivot_root,
    SYS_chroot,
    SYS_open_tree,
    SYS_move_mount,
    SYS_fsopen,
    SYS_fsconfig,
    SYS_fsmount,
    SYS_fspick,
    SYS_mount_setattr,
    // The kernel's innards.
    SYS_bpf,
    SYS_perf_event_open,
    SYS_userfaultfd,
    SYS_kexec_load,
    SYS_kexec_file_load,
    SYS_init_module,
    SYS_finit_module,
    SYS_delete_module,
    // Keys are not separated by namespaces.
    SYS_add_key,
    SYS_request_key,
    SYS_keyctl,
    // The machine as a whole.
    SYS_reboot,
    SYS_swapon,
    SYS_swapoff,
    SYS_syslog,
    SYS_acct,
    SYS_quotactl,
    SYS_settimeofday,
    SYS_clock_settime,
    SYS_clock_adjtime,
    SYS_adjtimex,
    SYS_open_by_handle_at,
];

/// CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID and NEWNET.
const NAMESPACES: u32 = 0x7E02_0000;
const NETLINK_ROUTE_PROTOCOL: u32 = 0;

/// The program for the kernel.
#[must_use]
pub fn filter(sockets: Sockets) -> Vec<Instruction> {
    let mut program = vec![
        load(ARCH),
        // 32-bit calls have other numbers: whoever makes them wants to get around this list.
        jump(BPF_JEQ, ARCHITECTURE, 1, 0),
        answer(SECCOMP_RET_KILL_PROCESS),
        load(NUMBER),
    ];
    #[cfg(target_arch = "x86_64")]
    program.extend([jump(BPF_JGE, X32, 0, 1), errno(ENOSYS)]);
    for call in UNKNOWN {
        program.extend(on(*call, &[errno(ENOSYS)]));
    }
    for call in REFUSED {
        program.extend(on(*call, &[errno(EPERM)]));
    }
    program.extend(on(
        SYS_clone,
        &[
            load(ARGUMENT_0),
            jump(BPF_JSET, NAMESPACES, 0, 1),
            errno(EPERM),
            answer(SECCOMP_RET_ALLOW),
        ],
    ));
    program.extend(on(SYS_ioctl, &ioctl()));
    program.extend(on(SYS_socket, &socket(sockets)));
    program.push(answer(SECCOMP_RET_ALLOW));
    program
}

/// As the bytes that bubblewrap reads.
#[must_use]
pub fn bytes(program: &[Instruction]) -> Vec<u8> {
    program
        .iter()
        .flat_map(|i| {
            let [a, b] = i.code.to_ne_bytes();
            let k = i.k.to_ne_bytes();
            [a, b, i.jt, i.jf, k[0], k[1], k[2], k[3]]
        })
        .collect()
}

/// Typing into the terminal that we were started from. Only the low 32 bits are compared, as the kernel does.
fn ioctl() -> Vec<Instruction> {
    let mut block = vec![load(ARGUMENT_1)];
    for request in [TIOCSTI, TIOCLINUX] {
        block.extend([jump(BPF_JEQ, request as u32, 0, 1), errno(EPERM)]);
    }
    block.push(answer(SECCOMP_RET_ALLOW));
    block
}

fn socket(sockets: Sockets) -> Vec<Instruction> {
    let families: &[c_int] = match sockets {
        Sockets::Contained => &[AF_UNIX, AF_INET, AF_INET6],
        Sockets::Internet => &[AF_INET, AF_INET6],
        Sockets::Refused => return vec![errno(EACCES)],
    };
    let mut block = vec![load(ARGUMENT_0)];
    for &family in families {
        block.extend([
            jump(BPF_JEQ, family as u32, 0, 1),
            answer(SECCOMP_RET_ALLOW),
        ]);
    }
    block.extend([
        jump(BPF_JEQ, AF_NETLINK as u32, 0, 3),
        load(ARGUMENT_2),
        jump(BPF_JEQ, NETLINK_ROUTE_PROTOCOL, 0, 1),
        answer(SECCOMP_RET_ALLOW),
        errno(EAFNOSUPPORT),
    ]);
    block
}

/// The block, which must end in an answer, when the loaded number is this call's.
fn on(call: c_long, block: &[Instruction]) -> Vec<Instruction> {
    // A block is never longer than some twenty instructions, and a jump reaches 255.
    let mut program = vec![jump(BPF_JEQ, call as u32, 0, block.len() as u8)];
    program.extend_from_slice(block);
    program
}

fn load(offset: u32) -> Instruction {
    Instruction {
        code: (BPF_LD | BPF_W | BPF_ABS) as u16,
        jt: 0,
        jf: 0,
        k: offset,
    }
}

fn jump(condition: u32, value: u32, yes: u8, no: u8) -> Instruction {
    Instruction {
        code: (BPF_JMP | condition | BPF_K) as u16,
        jt: yes,
        jf: no,
        k: value,
    }
}

fn answer(value: u32) -> Instruction {
    Instruction {
        code: (BPF_RET | BPF_K) as u16,
        jt: 0,
        jf: 0,
        k: value,
    }
}

fn errno(error: c_int) -> Instruction {
    answer(SECCOMP_RET_ERRNO | error as u32)
}
