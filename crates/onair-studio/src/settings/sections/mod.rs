//! One file for each section of the settings file, and `all` for their values.

pub(in crate::settings) mod all;
pub(in crate::settings) mod cameras;
pub(in crate::settings) mod chat;
pub(in crate::settings) mod filters;
pub(in crate::settings) mod own_services;
pub(in crate::settings) mod panels;
pub(in crate::settings) mod player;
pub(in crate::settings) mod projectors;
pub(in crate::settings) mod quality;
pub(in crate::settings) mod recording;
pub(in crate::settings) mod server;
pub(in crate::settings) mod strips;
pub(in crate::settings) mod targets;
pub(in crate::settings) mod window;
