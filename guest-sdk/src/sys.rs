//! What lies below the modules of this crate: the host's interfaces in a guest, or what stands in for
//! them where tests run natively. Both have the same functions.

#[cfg(target_arch = "wasm32")]
pub(crate) mod guest;
#[cfg(not(target_arch = "wasm32"))]
pub(crate) mod native;

#[cfg(target_arch = "wasm32")]
pub(crate) use guest::*;
#[cfg(not(target_arch = "wasm32"))]
pub(crate) use native::host::*;
