//! What this process has of its machine: read from the kernel when asked, never on a request's path.
//!
//! What cannot be read is 0: the figures are for people, and nothing depends on them.

use std::path::{Path, PathBuf};

/// Memory that the process has resident, in bytes.
pub(crate) fn process_memory() -> u64 {
    bytes_of("/proc/self/status", "VmRSS:").unwrap_or(0)
}

/// Memory that the process may have, in bytes: the machine's, or less if a control group (v2, a
/// container's or a service's) is given less.
pub fn memory_total() -> u64 {
    let machine = bytes_of("/proc/meminfo", "MemTotal:").unwrap_or(0);
    let group = std::fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let limit = limit_of(&group, |folder| {
        std::fs::read_to_string(Path::new("/sys/fs/cgroup").join(folder).join("memory.max")).ok()
    });
    limit.map_or(machine, |limit| limit.min(machine))
}

/// Threads that can run at once here.
pub(crate) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// The figure of a line such as `VmRSS:     12 kB`, in bytes.
fn bytes_of(file: &str, name: &str) -> Option<u64> {
    let text = std::fs::read_to_string(file).ok()?;
    let figure = text.lines().find_map(|line| line.strip_prefix(name))?;
    let kibibytes: u64 = figure.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

/// The least limit of the process's control group and of those above it; none: there is none.
/// `read` gives the limit's text in a folder.
fn limit_of(group: &str, read: impl Fn(&Path) -> Option<String>) -> Option<u64> {
    let path = group.lines().find_map(|line| line.strip_prefix("0::/"))?;
    let folder = PathBuf::from(path);
    folder
        .ancestors()
        .filter_map(|folder| read(folder)?.trim().parse().ok())
        .min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_has_memory_and_less_than_there_is() {
        let (process, total) = (process_memory(), memory_total());
        assert!(0 < process && process < total, "{process} of {total}");
        assert!(cores() > 0);
    }

    #[test]
    fn the_least_limit_of_all_groups_counts() {
        let limits = |folder: &Path| match folder.to_str()? {
            "lodge/app" => Some("max\n".to_owned()),
            "lodge" => Some("2048\n".to_owned()),
            "" => Some("4096\n".to_owned()),
            other => panic!("{other}"),
        };
        let group = "1:name=systemd:/x\n0::/lodge/app\n";
        assert_eq!(limit_of(group, limits), Some(2048));
        assert_eq!(limit_of("0::/\n", |_| Some("max\n".into())), None);
        assert_eq!(limit_of("", |_| None), None);
    }
}
