//! What `wrk` sends where that is more than one GET again and again: Lua, written beside the measured data.

use anyhow::Result;
use std::fs;
use std::path::{Path, PathBuf};

use super::crowd;

/// Each request to another of so many apps, by its host name, in an order that no cache could guess. The requests
/// are made beforehand: what remains beside one fixed request is a call of Lua for each, paid by `wrk`.
pub(super) fn spread(folder: &Path, apps: usize) -> Result<PathBuf> {
    let prefix = crowd::name(0).replace('0', "");
    let text = format!(
        "local requests, at, apps = {{}}, 0, {apps}\n\
         function init()\n  \
           for n = 0, apps - 1 do\n    \
             local host = '{prefix}' .. (n * 7919 % apps) .. '.localhost'\n    \
             requests[n] = wrk.format('GET', '/', {{ Host = host }})\n  \
           end\n\
         end\n\
         function request()\n  \
           at = (at + 1) % apps\n  \
           return requests[at]\n\
         end\n"
    );
    write(folder, &format!("spread-{apps}.lua"), &text)
}

/// A POST of so many bytes.
pub(super) fn post(folder: &Path, bytes: usize) -> Result<PathBuf> {
    let text = format!(
        "wrk.method = 'POST'\n\
         wrk.headers['Content-Type'] = 'application/octet-stream'\n\
         wrk.body = string.rep('x', {bytes})\n"
    );
    write(folder, &format!("post-{bytes}.lua"), &text)
}

fn write(folder: &Path, name: &str, text: &str) -> Result<PathBuf> {
    fs::create_dir_all(folder)?;
    let file = folder.join(name);
    fs::write(&file, text)?;
    Ok(file)
}
