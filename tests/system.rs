//! Tests of onair over sockets and with files, many of them with third-party programs. All are in
//! one test program, so that the linker links the library once and not for each file. Each file is
//! a module (`cargo nextest run publish::`).
//!
//! Separate test programs are those that count allocations (`memory`, `hostile_wire`) and those
//! that read the source code (`architecture`, `notices`).

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "test code: a panic is how it fails, and it says what it skips"
)]

mod access;
mod acme;
mod browser;
mod caches;
mod chat;
mod codecs;
mod command_line;
mod copy;
mod decoders;
mod delay;
mod demo;
mod desktop_status;
mod devices;
mod docs;
mod dropped;
mod editing;
mod encoders;
mod enhanced;
mod events;
mod faults;
mod film;
mod filters;
mod first_broadcast;
mod fitting;
mod global_hotkeys;
mod guests;
mod hdr;
mod hls;
mod hostile_media;
mod hostile_server;
mod joining;
mod kde_portal;
mod lab;
mod library;
mod live;
mod live_endings;
mod login;
mod markers;
mod media_keys;
mod media_source;
mod mixes;
mod monitor;
mod multitrack;
mod network;
mod odd_servers;
mod offsets;
mod one_model;
mod operator_api;
mod operator_page;
mod own_windows;
mod parts;
mod peer_publish;
mod peer_setup;
mod peers;
mod planted;
mod play;
mod play_key;
mod play_window;
mod plugins;
#[path = "rigs/portal.rs"]
mod portal;
mod probed;
mod programs;
mod publish;
mod pull;
mod random;
mod record;
mod recorded;
mod recordings;
mod relays;
mod remote_control;
mod remux;
mod remux_codecs;
mod renditions;
mod resilience;
mod rewind;
mod routes;
mod rtmp_sessions;
mod rtmpt;
mod rules;
mod sandbox;
mod scenes;
mod screen;
mod screen_reader;
mod second_canvas;
mod second_start;
mod secrets;
mod secure_pages;
mod serve_record;
mod served_codecs;
mod served_dash;
mod served_hls;
mod served_playlists;
mod served_ts;
mod served_vod;
mod server;
mod server_mix;
mod service;
mod service_chat;
#[path = "rigs/session.rs"]
mod session;
#[path = "rigs/shown.rs"]
mod shown;
mod silent_bus;
mod slow_links;
mod soak;
mod songs;
mod sounds;
mod source_recordings;
mod srt_server;
mod srt_targets;
mod stand_ins;
mod steering;
mod strain;
mod studio_server;
mod talk_portal;
mod targets;
mod tls;
mod tracks;
mod ts_targets;
mod ui_window;
mod vectors;
mod vectors_media;
mod vectors_relay;
mod vectors_rtmp;
mod viewer_page;
mod virtual_camera;
mod wall;
mod watch;
mod watch_network;
mod wayland;
mod wayland_window;
mod whep;
mod whip;
mod whip_targets;
mod window_ends;
mod window_story;
