use super::*;
use crate::seccomp::{Sockets, filter};
use libc::*;
use std::{
    io,
    os::unix::process::{CommandExt, ExitStatusExt},
    process::Command,
};

/// What a system call answers in a child under the filter: its errno, or 0.
fn under(sockets: Sockets, call: impl Fn() -> c_long + Send + Sync + 'static) -> c_int {
    let entry = Entry {
        filter: filter(sockets),
        ..Entry::default()
    };
    let mut child = Command::new("/bin/true");
    // SAFETY: system calls only.
    unsafe {
        child.pre_exec(move || entry.enter());
        child.pre_exec(move || {
            if call() < 0 {
                Err(io::Error::last_os_error())
            } else {
                Ok(())
            }
        });
    }
    match child.status() {
        Ok(status) => {
            assert!(status.success(), "{status}");
            0
        }
        Err(error) => error.raw_os_error().unwrap(),
    }
}

fn call(number: c_long, arguments: [c_long; 3]) -> c_int {
    let [a, b, c] = arguments;
    // SAFETY: the tests pass no pointers but null.
    under(Sockets::Contained, move || unsafe {
        syscall(number, a, b, c, 0, 0)
    })
}

#[test]
fn the_filter_refuses_what_it_should() {
    assert_eq!(call(SYS_getpid, [0; 3]), 0, "what is not listed is allowed");
    assert_eq!(call(SYS_clone3, [0; 3]), ENOSYS);
    assert_eq!(call(SYS_io_uring_setup, [1, 0, 0]), ENOSYS);
    assert_eq!(call(SYS_bpf, [0; 3]), EPERM);
    assert_eq!(call(SYS_keyctl, [0; 3]), EPERM);
    // Without the filter this is no error.
    assert_eq!(call(SYS_unshare, [0; 3]), EPERM);
    assert_eq!(
        call(SYS_clone, [c_long::from(CLONE_NEWUSER | SIGCHLD), 0, 0]),
        EPERM
    );
    assert_eq!(call(SYS_ioctl, [0, TIOCSTI as c_long, 0]), EPERM);
    // The kernel looks at 32 bits of it, so the others hide nothing.
    assert_eq!(call(SYS_ioctl, [0, TIOCSTI as c_long | 1 << 32, 0]), EPERM);
    // Other requests come through: stdin is no terminal.
    assert_ne!(call(SYS_ioctl, [0, TIOCGWINSZ as c_long, 0]), EPERM);
}

#[test]
fn sockets_are_of_the_listed_families() {
    let socket = |family: c_int, protocol: c_int| {
        call(
            SYS_socket,
            [family.into(), SOCK_DGRAM.into(), protocol.into()],
        )
    };
    for family in [AF_UNIX, AF_INET, AF_INET6] {
        assert_eq!(socket(family, 0), 0, "{family}");
    }
    assert_eq!(socket(AF_NETLINK, NETLINK_ROUTE), 0);
    assert_eq!(socket(AF_NETLINK, NETLINK_KOBJECT_UEVENT), EAFNOSUPPORT);
    for family in [AF_VSOCK, AF_ALG, AF_PACKET, AF_BLUETOOTH] {
        assert_eq!(socket(family, 0), EAFNOSUPPORT, "{family}");
    }
    for family in [AF_UNIX, AF_INET, AF_NETLINK] {
        // SAFETY: no pointers.
        let refused = under(Sockets::Refused, move || unsafe {
            syscall(SYS_socket, family, SOCK_DGRAM, 0)
        });
        assert_eq!(refused, EACCES);
    }
}

#[cfg(target_arch = "x86_64")]
#[test]
fn other_tables_of_system_calls_are_no_way_around() {
    const X32: c_long = 0x4000_0000;
    assert_eq!(call(X32 + SYS_getpid, [0; 3]), ENOSYS);
    let entry = Entry {
        filter: filter(Sockets::Contained),
        ..Entry::default()
    };
    let mut child = Command::new("/bin/true");
    // SAFETY: getpid by its 32-bit number.
    unsafe {
        child.pre_exec(move || entry.enter());
        child.pre_exec(|| {
            std::arch::asm!("int 0x80", inout("eax") 20 => _);
            Ok(())
        });
    }
    assert_eq!(child.status().unwrap().signal(), Some(SIGSYS));
}

#[test]
fn a_failed_step_is_told() {
    let entry = Entry {
        cgroups: vec![-1],
        ..Entry::default()
    };
    let mut child = Command::new("/bin/true");
    let (read, write) = rustix::pipe::pipe().unwrap();
    child.stderr(write);
    // SAFETY: it is made for this place.
    unsafe { child.pre_exec(move || entry.enter()) };
    assert_eq!(child.spawn().unwrap_err().raw_os_error(), Some(EBADF));
    drop(child);
    let mut said = String::new();
    io::Read::read_to_string(&mut std::fs::File::from(read), &mut said).unwrap();
    assert_eq!(said, "join the cgroup");
}

#[test]
fn root_is_given_up_for_good() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: not root");
        return;
    }
    let identity = Identity {
        uid: DEFAULT_UID,
        gid: DEFAULT_UID,
    };
    let entry = Entry {
        identity: Some(identity),
        ..Entry::default()
    };
    let mut child = Command::new("sh");
    child.args([
        "-c",
        "id -u; id -G; grep -E '^(Uid|CapEff|CapPrm)' /proc/self/status | tr -d '\\t\\n'",
    ]);
    // SAFETY: it is made for this place.
    unsafe { child.pre_exec(move || entry.enter()) };
    let said = String::from_utf8(child.output().unwrap().stdout).unwrap();
    let ids = "64321".repeat(4);
    assert_eq!(
        said,
        format!("64321\n64321\nUid:{ids}CapPrm:0000000000000000CapEff:0000000000000000")
    );
}
