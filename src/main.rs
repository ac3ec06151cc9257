//! The `onair` program: see `cli/` for the command line and `app.rs` for the window.

fn main() {}
