//! Which camera is which: names that stay the same when a camera is unplugged and plugged in
//! again, or the machine is started anew. The number in `/dev/videoN` does not.

use std::fs;
use std::path::{Path, PathBuf};

/// A video node as the kernel describes it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Node {
    /// N in `/dev/videoN`.
    pub(super) number: u32,
    pub(super) id: String,
    pub(super) name: String,
    /// Which of its device's nodes it is; cameras' pictures come from the first.
    pub(super) first: bool,
}

/// All video nodes, lowest number first.
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
    nodes
}

fn describe(folder: &Path, number: u32) -> Node {
    let name = read(&folder.join("name")).unwrap_or_else(|| format!("Camera {number}"));
    let index = read(&folder.join("index")).unwrap_or_else(|| "0".to_owned());
    let device = fs::canonicalize(folder.join("device")).ok();
    let id = device.as_deref().map_or_else(
        || format!("virtual-video{number}"),
        |device| format!("{}-{index}", device_id(device)),
    );
    Node { number, id, name, first: index == "0" }
}

/// A device by its maker's numbers and serial number, or by the socket it is in.
fn device_id(device: &Path) -> String {
    let socket = device.file_name().map_or_else(String::new, |name| name.to_string_lossy().into());
    // The node belongs to an interface of the USB device above it.
    let usb = device.parent().map(PathBuf::from).unwrap_or_default();
    let product = read(&usb.join("idVendor")).zip(read(&usb.join("idProduct")));
    match (product, read(&usb.join("serial"))) {
        (Some((vendor, product)), Some(serial)) if serial.chars().any(|c| c != '0') => {
            format!("usb-{vendor}-{product}-{serial}")
        }
        (Some((vendor, product)), _) => format!("usb-{vendor}-{product}-at-{socket}"),
        (None, _) => socket,
    }
}

/// A line of sysfs, without what does not belong into an id.
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
        assert_eq!(device_id(&interface), "usb-046d-082d-ABC123");
        assert_eq!(device_id(Path::new("/sys/devices/platform/vivid.0")), "vivid.0");
        // Whatever this machine has, asking does not fail.
        drop(nodes());
    }
}
