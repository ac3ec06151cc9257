//! Linux. `unsafe` calls of the C library are allowed here, and nowhere else outside `backend/` folders.

pub mod child_process;
pub mod clocks;
pub mod code_pages;
mod descriptors;
pub mod disk;
pub mod errors;
pub mod files;
pub mod local_socket;
pub mod mapping;
pub mod names;
pub mod process;
pub mod sandbox;
pub mod signals;
