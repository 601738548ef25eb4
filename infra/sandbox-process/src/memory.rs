//! What a tree of processes uses, counted from outside: the fallback where no cgroup can be had.

use std::{collections::HashMap, fs, os::unix::fs::MetadataExt};

/// Resident bytes of a process and all its descendants. Shared pages count once for each, so it errs upwards; what comes and
/// goes between two looks is not seen.
#[must_use]
pub fn tree_memory(leader: u32) -> u64 {
    let page = rustix::param::page_size() as u64;
    let Ok(entries) = fs::read_dir("/proc") else {
        return 0;
    };
    let mut children: HashMap<u32, Vec<(u32, u64)>> = HashMap::new();
    for pid in entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok())
    {
        if let Some((parent, pages)) = fs::read_to_string(format!("/proc/{pid}/stat"))
            .ok()
            .as_deref()
            .and_then(parent_and_pages)
        {
            children.entry(parent).or_default().push((pid, pages));
        }
    }
    let (mut waiting, mut sum) = (vec![leader], 0);
    while let Some(pid) = waiting.pop() {
        for (child, pages) in children.remove(&pid).unwrap_or_default() {
            sum += pages * page;
            waiting.push(child);
        }
    }
    sum
}

/// How many processes and threads a user has on this machine, which is what `RLIMIT_NPROC` is compared with.
#[must_use]
pub fn tasks_of(uid: u32) -> u64 {
    let owned = |entry: &fs::DirEntry| entry.metadata().is_ok_and(|stat| stat.uid() == uid);
    let is_process = |entry: &fs::DirEntry| {
        entry
            .file_name()
            .to_str()
            .is_some_and(|name| name.parse::<u32>().is_ok())
    };
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let threads = |entry: fs::DirEntry| {
        fs::read_dir(entry.path().join("task")).map_or(0, |tasks| tasks.count() as u64)
    };
    processes
        .filter(is_process)
        .filter(owned)
        .map(threads)
        .sum()
}

/// Fields 4 and 24 of proc_pid_stat(5). The name before them may hold anything, parentheses too.
fn parent_and_pages(stat: &str) -> Option<(u32, u64)> {
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    Some((fields.nth(1)?.parse().ok()?, fields.nth(19)?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::parent_and_pages;

    #[test]
    fn a_name_with_parentheses_hides_nothing() {
        let stat = "7 (a) b (c) S 42 7 7 0 -1 4194304 100 0 0 0 0 0 0 0 20 0 1 0 100 1000000 321 18446744073709551615 1 1";
        assert_eq!(parent_and_pages(stat), Some((42, 321)));
    }
}
