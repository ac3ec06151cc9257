//! One file for each section of the settings file, and `all` for their values.

pub(in crate::studio::settings) mod all;
pub(in crate::studio::settings) mod cameras;
pub(in crate::studio::settings) mod chat;
pub(in crate::studio::settings) mod filters;
pub(in crate::studio::settings) mod own_services;
pub(in crate::studio::settings) mod panels;
pub(in crate::studio::settings) mod player;
pub(in crate::studio::settings) mod projectors;
pub(in crate::studio::settings) mod quality;
pub(in crate::studio::settings) mod recording;
pub(in crate::studio::settings) mod server;
pub(in crate::studio::settings) mod strips;
pub(in crate::studio::settings) mod targets;
pub(in crate::studio::settings) mod window;
