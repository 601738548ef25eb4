//! The functions are linked at a fixed address. As position-independent programs they had 181,000 addresses to be put right by the dynamic
//! linker before `main`, and `run` asked for its first event after 6.3 ms instead of 2.2 (`cargo xtask bench functions`). Their code is
//! then where anybody can know it to be; stack, heap and libraries still are not.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rustc-link-arg-bins=-no-pie");
}
