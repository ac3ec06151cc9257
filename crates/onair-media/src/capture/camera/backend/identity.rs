//! Identifies cameras by ids that stay the same when a camera is replugged, or the computer is
//! restarted. The number in `/dev/videoN` can change.

use std::fs;
use std::path::{Path, PathBuf};

/// A video node as the kernel describes it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Node {
    /// Number N of the device `/dev/videoN`.
    pub(super) number: u32,
    pub(super) id: String,
    /// The id with the USB port, which is used if another camera has the same id.
    pub(super) id_there: String,
    pub(super) name: String,
    /// True for the first node of the device. Cameras deliver frames at this node.
    pub(super) first: bool,
}

impl Node {
    /// Returns the path of the device.
    pub(super) fn path(&self) -> PathBuf {
        PathBuf::from(format!("/dev/video{}", self.number))
    }
}

/// Returns all video nodes, the lowest number first.
pub(super) fn nodes() -> Vec<Node> {
    let class = Path::new("/sys/class/video4linux");
    let entries = fs::read_dir(class).into_iter().flatten().flatten();
    let mut nodes: Vec<Node> = entries
        .filter_map(|entry| {
            let file = entry.file_name();
            let number = file.to_str()?.strip_prefix("video")?.parse().ok()?;
            Some(describe(&class.join(&file), number))
        })
        .collect();
    nodes.sort_by_key(|node| node.number);
    distinguish(&mut nodes);
    nodes
}

/// Distinguishes cameras with the same id, because cameras of one model often share a serial
/// number.
fn distinguish(nodes: &mut [Node]) {
    let mark: [fn(&Node) -> String; 3] = [
        |node| node.id_there.clone(),
        |node| format!("{}-{}", node.id, node.name.replace(char::is_whitespace, "-")),
        |node| format!("{}-video{}", node.id, node.number),
    ];
    for mark in mark {
        let ids: Vec<String> = nodes.iter().map(|node| node.id.clone()).collect();
        for node in &mut *nodes {
            if ids.iter().filter(|id| **id == node.id).count() > 1 {
                node.id = mark(node);
            }
        }
    }
}

/// Returns the id of the camera at this node, such as `/dev/video0`, or at a link to it.
pub(super) fn id_at(path: &Path) -> Option<String> {
    let node = fs::canonicalize(path).ok()?;
    let number: u32 = node.to_str()?.strip_prefix("/dev/video")?.parse().ok()?;
    nodes().into_iter().find(|node| node.number == number).map(|node| node.id)
}

fn describe(folder: &Path, number: u32) -> Node {
    let name = read(&folder.join("name")).unwrap_or_else(|| format!("Camera {number}"));
    let index = read(&folder.join("index")).unwrap_or_else(|| "0".to_owned());
    let device = fs::canonicalize(folder.join("device")).ok();
    let id = device.as_deref().map_or_else(
        || format!("virtual-video{number}"),
        |device| format!("{}-{index}", device_id(device)),
    );
    let socket = device.as_deref().map(socket).unwrap_or_default();
    let id_there = format!("{id}-at-{socket}");
    Node { number, id, id_there, name, first: index == "0" }
}

/// Returns the USB socket and, after a colon, the interface of a sysfs device.
fn socket(device: &Path) -> String {
    device.file_name().map_or_else(String::new, |name| name.to_string_lossy().into())
}

/// Makes a device id from vendor, product and serial numbers, or from the USB port.
fn device_id(device: &Path) -> String {
    let socket = socket(device);
    // The node belongs to an interface of its parent USB device.
    let usb = device.parent().map(PathBuf::from).unwrap_or_default();
    let product = read(&usb.join("idVendor")).zip(read(&usb.join("idProduct")));
    match (product, read(&usb.join("serial"))) {
        (Some((vendor, product)), Some(serial)) if serial.chars().any(|c| c != '0') => {
            // A color camera and an infrared camera in the same housing share the other values.
            let interface = socket.rsplit_once(':').map_or("", |(_, interface)| interface);
            format!("usb-{vendor}-{product}-{serial}-{interface}")
        }
        (Some((vendor, product)), _) => format!("usb-{vendor}-{product}-at-{socket}"),
        (None, _) => socket,
    }
}

/// Reads a line of sysfs, without characters that an id cannot contain.
fn read(path: &Path) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let text: String = text.trim().chars().filter(|c| !c.is_control()).take(128).collect();
    if text.is_empty() { None } else { Some(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_do_not_depend_on_the_node_number() {
        let folder = tempfile::tempdir().unwrap();
        let usb = folder.path().join("1-2");
        let interface = usb.join("1-2:1.0");
        fs::create_dir_all(&interface).unwrap();
        fs::write(usb.join("idVendor"), "046d\n").unwrap();
        fs::write(usb.join("idProduct"), "082d\n").unwrap();
        assert_eq!(device_id(&interface), "usb-046d-082d-at-1-2:1.0");
        fs::write(usb.join("serial"), "ABC123\n").unwrap();
        assert_eq!(device_id(&interface), "usb-046d-082d-ABC123-1.0");
        assert_eq!(device_id(Path::new("/sys/devices/platform/vivid.0")), "vivid.0");
        // Listing never fails, whatever hardware exists.
        drop(nodes());
    }

    #[test]
    fn cameras_of_the_same_model_are_distinguished() {
        let node = |number, id: &str, socket: &str, name: &str| Node {
            number,
            id: id.to_owned(),
            id_there: format!("{id}-at-{socket}"),
            name: name.to_owned(),
            first: true,
        };
        let mut nodes = [
            node(0, "usb-1-2-SN1-1.0-0", "1-1:1.0", "Cam"),
            node(2, "usb-1-2-SN1-1.0-0", "1-2:1.0", "Cam"),
            node(4, "vivid.0-0", "vivid.0", "vivid 000"),
            node(5, "vivid.0-0", "vivid.0", "vivid 001"),
            node(6, "alone", "x", "Alone"),
        ];
        distinguish(&mut nodes);
        let ids = nodes.map(|node| node.id);
        assert_eq!(ids[0], "usb-1-2-SN1-1.0-0-at-1-1:1.0");
        assert_eq!(ids[1], "usb-1-2-SN1-1.0-0-at-1-2:1.0");
        assert_eq!(ids[2], "vivid.0-0-at-vivid.0-vivid-000");
        assert_eq!(ids[3], "vivid.0-0-at-vivid.0-vivid-001");
        assert_eq!(ids[4], "alone");
    }
}
