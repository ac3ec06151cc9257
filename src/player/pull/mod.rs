//! What comes from the web, as FLV tags: an FLV body that never ends or one that does, a transport
//! stream, or what a playlist leads to. What it is is told by its first bytes, not by its name. Used
//! on the feed thread and by the probe.

mod ability;
mod download;
mod fragments;
mod hls;
mod item;
mod marks;
mod parts;
mod places;
mod problem;
mod recorded;
mod seal;
mod single;
mod sniff;
mod source;
mod tags;

pub(super) use ability::Ability;
pub(super) use item::{Ask, Buffer, Distance, Item, Pace};
pub(super) use problem::Problem;
pub(super) use source::Pull;
