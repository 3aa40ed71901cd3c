//! Lodge as its users meet it. Needs the program (`cargo build --bin lodge`) and the test guests
//! (`cargo xtask guests --all`); `cargo xtask test` sees to both.

mod components;
mod isolation;
mod crash;
mod edge;
mod lifecycle;
mod limits;
mod many;
mod process;
