//! The controls of a Video4Linux camera (VIDIOC_QUERYCTRL, VIDIOC_QUERYMENU, VIDIOC_G_CTRL,
//! VIDIOC_S_CTRL): what a user may set, of 32 bits. Whatever a driver says of itself is bounded.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::AsRawFd;
use std::path::Path;

use crate::capture::camera::backend::ioctl::Call;
use crate::capture::camera::control::{CameraControl, MAX_CONTROLS, Span, plain};

/// Kinds of controls (`enum v4l2_ctrl_type`).
const INTEGER: u32 = 1;
const BOOLEAN: u32 = 2;
const MENU: u32 = 3;
const INTEGER_MENU: u32 = 9;

/// Flags (`V4L2_CTRL_FLAG_…`).
const DISABLED: u32 = 0x01;
const READ_ONLY: u32 = 0x04;
const INACTIVE: u32 = 0x10;
const WRITE_ONLY: u32 = 0x40;
/// Gives the control after this one.
const NEXT: u32 = 0x8000_0000;

/// Items of one menu that are looked at.
const MAX_ITEMS: i32 = 64;

/// `struct v4l2_queryctrl`.
#[repr(C)]
#[derive(Copy, Clone, Default)]
struct Query {
    id: u32,
    kind: u32,
    name: [u8; 32],
    minimum: i32,
    maximum: i32,
    step: i32,
    default: i32,
    flags: u32,
    reserved: [u32; 2],
}

/// `struct v4l2_querymenu`, which is packed: a name, or a value in its first eight bytes.
#[repr(C, packed)]
#[derive(Copy, Clone, Default)]
struct Item {
    id: u32,
    index: u32,
    name: [u8; 32],
    reserved: u32,
}

/// `struct v4l2_control`.
#[repr(C)]
#[derive(Copy, Clone, Default)]
struct Value {
    id: u32,
    value: i32,
}

const QUERY: Call<Query> = Call::new(36);
const QUERY_MENU: Call<Item> = Call::new(37);
const GET: Call<Value> = Call::new(27);
const SET: Call<Value> = Call::new(28);

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).open(path)
}

/// The controls that a person may set, as they are now.
pub(super) fn list(path: &Path) -> io::Result<Vec<CameraControl>> {
    let file = open(path)?;
    Ok(queried(&file).into_iter().filter_map(|query| control(&file, &query)).collect())
}

/// Sets one by its name in [`list`]; the value is brought to one that may be set.
pub(super) fn set(path: &Path, name: &str, value: Option<i64>) -> io::Result<()> {
    let file = open(path)?;
    let mut all = queried(&file).into_iter();
    let found = all.find_map(|query| {
        let control = control(&file, &query)?;
        (control.name == name).then_some((query.id, control))
    });
    let (id, control) = found.ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
    let wanted = control.span.bounded(value.unwrap_or(control.default));
    let value = i32::try_from(wanted).unwrap_or_default();
    if wanted == control.value {
        return Ok(());
    }
    SET.ask(file.as_raw_fd(), &mut Value { id, value })
}

fn queried(file: &File) -> Vec<Query> {
    let (mut found, mut last) = (Vec::new(), 0);
    while found.len() < MAX_CONTROLS {
        let mut query = Query { id: last | NEXT, ..Query::default() };
        // The end is an error; a driver that goes around has no more either.
        if QUERY.ask(file.as_raw_fd(), &mut query).is_err() || query.id <= last {
            break;
        }
        last = query.id;
        found.push(query);
    }
    found
}

fn control(file: &File, query: &Query) -> Option<CameraControl> {
    if query.flags & (DISABLED | READ_ONLY | WRITE_ONLY) != 0 {
        return None;
    }
    let title = text(&query.name);
    let name = plain(&title);
    let span = match query.kind {
        INTEGER if query.minimum < query.maximum => Span::Number {
            least: query.minimum.into(),
            most: query.maximum.into(),
            step: i64::from(query.step).max(1),
        },
        BOOLEAN => Span::Switch,
        MENU | INTEGER_MENU => Span::Menu(items(file, query)),
        _ => return None,
    };
    if name.is_empty() || matches!(&span, Span::Menu(items) if items.len() < 2) {
        return None;
    }
    let mut now = Value { id: query.id, value: query.default };
    GET.ask(file.as_raw_fd(), &mut now).ok()?;
    let active = query.flags & INACTIVE == 0;
    let (default, value) = (query.default.into(), now.value.into());
    Some(CameraControl { name, title, span, default, value, active })
}

fn items(file: &File, query: &Query) -> Vec<(i64, String)> {
    let (first, last) = (query.minimum.max(0), query.maximum);
    let indices = (first..=last).take(usize::try_from(MAX_ITEMS).unwrap_or(0));
    let item = |index: i32| {
        let place = u32::try_from(index).ok()?;
        let mut item = Item { id: query.id, index: place, ..Item::default() };
        // Menus have gaps.
        QUERY_MENU.ask(file.as_raw_fd(), &mut item).ok()?;
        let name = item.name;
        let words = if query.kind == INTEGER_MENU {
            let (bytes, _) = name.split_at(8);
            i64::from_ne_bytes(bytes.try_into().ok()?).to_string()
        } else {
            text(&name)
        };
        Some((i64::from(index), words))
    };
    indices.filter_map(item).collect()
}

/// A name that ends with a zero, without what must not be shown.
fn text(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    let text = String::from_utf8_lossy(bytes.get(..end).unwrap_or_default());
    text.chars().filter(|letter| !letter.is_control()).collect::<String>().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn structures_and_numbers_are_the_kernels() {
        // include/uapi/linux/videodev2.h.
        assert_eq!((size_of::<Query>(), size_of::<Item>(), size_of::<Value>()), (68, 44, 8));
        assert_eq!(QUERY.0, 0xc044_5624);
        assert_eq!(QUERY_MENU.0, 0xc02c_5625);
        assert_eq!((GET.0, SET.0), (0xc008_561b, 0xc008_561c));
    }

    #[test]
    fn what_is_no_camera_has_no_controls() {
        assert!(list(Path::new("/dev/null")).unwrap().is_empty());
        assert!(list(Path::new("/nonexistent")).is_err());
        assert!(set(Path::new("/dev/null"), "gain", None).is_err());
        assert_eq!(text(b"Gain\x07 \0rest"), "Gain");
    }
}
