//! What this process has of its machine, read from the kernel when asked. What cannot be read is 0:
//! nothing but a figure for people depends on it.

/// Memory that the process has resident, in bytes.
pub(crate) fn process_memory() -> u64 {
    let pages = std::fs::read_to_string("/proc/self/statm")
        .ok()
        .and_then(|text| text.split_whitespace().nth(1)?.parse::<u64>().ok());
    let page = rustix::param::page_size() as u64;
    pages.unwrap_or(0).saturating_mul(page)
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_process_has_memory() {
        assert!(super::process_memory() > 100 * 1024);
    }
}
