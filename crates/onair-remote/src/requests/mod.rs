//! The requests that onair supports. Each is a function of the fields and the snapshot, which gives
//! an answer or commands for the studio. `docs/reference/obs-websocket.md` lists them all, which a
//! test compares with [`names`].

mod audio;
mod config;
mod filters;
mod general;
mod hotkeys;
mod inputs;
mod items;
mod media;
mod outputs;
mod scenes;
mod screenshot;
mod table;
mod transitions;
mod vendor;

pub(crate) use audio::{monitor_name, offset_millis, tracks_of, volume_of};
pub(crate) use filters::{filters_of, form as filter_form};
pub(crate) use inputs::{settings_of, unversioned};
pub(crate) use items::transform_of;
pub(crate) use media::state_of as media_state;
pub(crate) use scenes::scene_array;
pub use table::names;
pub(crate) use table::perform;
pub(crate) use transitions::{duration_of as transition_duration, transition_name};
