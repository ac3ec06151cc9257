//! What comes from the web, as FLV tags: an FLV body that never ends or one that does, a transport
//! stream, what a playlist leads to, or a film that is read at any place. What it is is told by its first bytes, not by its name. Used
//! on the feed thread and by the probe.

mod ability;
mod blocks;
mod download;
mod film;
mod fragments;
mod hls;
mod item;
mod marks;
mod parts;
mod places;
mod problem;
mod recorded;
mod seal;
mod search;
mod single;
mod sniff;
mod source;
mod tags;

pub(super) use ability::Ability;
pub(super) use item::{Ask, Buffer, Distance, Item, Pace};
pub(super) use problem::Problem;
pub(super) use source::Pull;
