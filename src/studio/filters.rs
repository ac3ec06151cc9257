//! Filters of pictures as the compositor is to carry them out: it is told what changed. Files that
//! filters work with are read here, each on a thread of its own; until one is read, and where it
//! cannot be, its filter passes pictures as they are.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::base::Worker;
use crate::base::queue::{self, Empty, Full, Receiver};
use crate::capture;
use crate::compose::Compositor;
use crate::compose::filter::{Asset, Cube, MOST_CUBE_BYTES, Material, Slot, Table, Wanted};
use crate::compose::scene::SourceId;
use crate::studio::message::Message;
use crate::studio::said::Said;
use crate::studio::scenes::{Collection, MAIN};

/// Files that are read at once.
const MOST_READING: usize = 4;

type Key = (Asset, PathBuf);

/// A file that a filter works with.
#[derive(Debug)]
enum File {
    /// Its turn has not come.
    Waiting,
    Reading {
        told: Receiver<Result<Material, String>>,
        _worker: Worker,
    },
    Ready(Material),
    Failed,
}

/// What the compositor was told last, and the files.
#[derive(Debug, Default)]
pub(super) struct Filters {
    told: BTreeMap<SourceId, Vec<Wanted>>,
    files: BTreeMap<Key, File>,
}

/// The file of a filter that is on.
fn file_of(slot: &Slot) -> Option<Key> {
    let (asset, path) = slot.filter.file().filter(|_| slot.enabled)?;
    (!path.as_os_str().is_empty()).then(|| (asset, path.to_owned()))
}

impl Filters {
    /// Tells the compositor which filters are others now.
    pub fn sync(&mut self, collection: &Collection, compositor: &Compositor) {
        let ids = || collection.sources.iter().map(|source| source.id).chain([MAIN]);
        let files: Vec<Key> =
            ids().flat_map(|id| collection.filters(id)).filter_map(file_of).collect();
        self.files.retain(|key, _| files.contains(key));
        for key in files {
            self.files.entry(key).or_insert(File::Waiting);
        }
        self.read_on();
        let mut wanted: BTreeMap<SourceId, Vec<Wanted>> = BTreeMap::new();
        for id in ids() {
            let slots = collection.filters(id).iter();
            let list: Vec<Wanted> = slots
                .map(|slot| Wanted { slot: slot.clone(), material: self.material(slot) })
                .collect();
            if !list.is_empty() {
                wanted.insert(id, list);
            }
        }
        for id in self.told.keys().filter(|id| !wanted.contains_key(id)) {
            compositor.set_filters(*id, Vec::new());
        }
        for (id, list) in &wanted {
            if self.told.get(id) != Some(list) {
                compositor.set_filters(*id, list.clone());
            }
        }
        self.told = wanted;
    }

    fn material(&self, slot: &Slot) -> Option<Material> {
        match self.files.get(&file_of(slot)?) {
            Some(File::Ready(material)) => Some(material.clone()),
            _ => None,
        }
    }

    /// Begins with files whose turn it is.
    fn read_on(&mut self) {
        let reading =
            self.files.values().filter(|file| matches!(file, File::Reading { .. })).count();
        let waiting = self.files.iter_mut().filter(|(_, file)| matches!(file, File::Waiting));
        for ((asset, path), file) in waiting.take(MOST_READING.saturating_sub(reading)) {
            let (tell, told) = queue::bounded("filter-file", 1, Full::DropOldest);
            let (asset, path) = (*asset, path.clone());
            let worker = Worker::spawn("filter-file", move |_| {
                // The filter may be gone by now.
                let _ = tell.send(read(asset, &path));
            });
            *file = match worker {
                Ok(worker) => File::Reading { told, _worker: worker },
                Err(error) => {
                    tracing::warn!(%error, "reading a filter's file");
                    File::Failed
                }
            };
        }
    }

    /// Takes what was read since the last call; what a person is told where that failed.
    pub fn look(&mut self, collection: &Collection, compositor: &Compositor) -> Vec<Message> {
        let (mut messages, mut done) = (Vec::new(), false);
        for ((_, path), file) in &mut self.files {
            let File::Reading { told, .. } = file else { continue };
            let read = match told.try_recv() {
                Ok(read) => read,
                Err(Empty::Waiting) => continue,
                Err(Empty::Closed) => Err("it could not be read".to_owned()),
            };
            done = true;
            *file = match read {
                Ok(material) => File::Ready(material),
                Err(reason) => {
                    let path = path.display().to_string();
                    messages.push(Message::Scenes(Said::FilterFailed { path, reason }));
                    File::Failed
                }
            };
        }
        if done {
            self.sync(collection, compositor);
        }
        messages
    }
}

/// Reads a file; a reason where it is not what it should be.
fn read(asset: Asset, path: &Path) -> Result<Material, String> {
    match asset {
        Asset::Picture => capture::still(path).map(|planes| Material::Picture(Arc::new(planes))),
        Asset::Table => {
            let text = text(path)?;
            Cube::parse(&text).map(|cube| Material::Table(Arc::new(Table::new(&cube))))
        }
    }
}

fn text(path: &Path) -> Result<String, String> {
    let said = |error: std::io::Error| error.to_string();
    // Opening a pipe would wait for whoever writes it.
    if !fs::metadata(path).map_err(said)?.is_file() {
        return Err("it is no file".to_owned());
    }
    let mut text = String::new();
    let file = fs::File::open(path).map_err(said)?;
    file.take(MOST_CUBE_BYTES + 1).read_to_string(&mut text).map_err(said)?;
    if text.len() as u64 > MOST_CUBE_BYTES {
        return Err("it is far too large for a colour table".to_owned());
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{Clock, Latest};
    use crate::compose;
    use crate::compose::filter::Filter;
    use crate::media::{FrameGrid, FrameRate, Size};
    use std::time::{Duration, Instant};

    #[test]
    fn files_are_read_and_what_is_wrong_with_them_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::write(path("good.cube"), "LUT_1D_SIZE 2\n0 0 0\n1 1 1\n").unwrap();
        fs::write(path("bad.cube"), "LUT_3D_SIZE 2\n0 0 0\n").unwrap();
        fs::write(path("bad.png"), "no picture").unwrap();
        let filter = |kind: &str, file: &str| {
            let mut filter = Filter::of_kind(kind).unwrap();
            assert!(filter.set_file(path(file)));
            Slot { enabled: true, filter }
        };
        let off = Slot { enabled: false, ..filter("lut", "gone.cube") };
        let collection = Collection {
            main_filters: vec![
                filter("lut", "good.cube"),
                filter("lut", "bad.cube"),
                filter("lut", "."),
                filter("mask", "bad.png"),
                filter("watermark", "bad.png"),
                filter("watermark", "absent.png"),
                off,
            ],
            ..Collection::default()
        };
        let clock = Clock::start();
        let grid = FrameGrid { origin: clock.now(), rate: FrameRate::FPS_30 };
        let config = compose::Config { size: Size::new(64, 36), grid, clock };
        let compositor = Compositor::spawn(config, Latest::default()).unwrap();
        let mut filters = Filters::default();
        filters.sync(&collection, &compositor);
        let (begun, mut told) = (Instant::now(), Vec::new());
        let busy = |file: &File| matches!(file, File::Waiting | File::Reading { .. });
        while filters.files.values().any(busy) {
            assert!(begun.elapsed() < Duration::from_secs(60));
            told.extend(filters.look(&collection, &compositor));
            std::thread::yield_now();
        }
        let mut told: Vec<String> = told.iter().map(Message::summary).collect();
        told.sort();
        assert_eq!(told.len(), 4, "{told:#?}");
        assert!(told.iter().any(|it| it.contains("bad.cube") && it.contains("instead of 8")));
        let ready: Vec<bool> = filters.told[&MAIN].iter().map(|it| it.material.is_some()).collect();
        assert_eq!(ready, [true, false, false, false, false, false, false]);
        // What nothing works with any more is forgotten.
        filters.sync(&Collection::default(), &compositor);
        assert!(filters.files.is_empty() && filters.told.is_empty());
    }
}
