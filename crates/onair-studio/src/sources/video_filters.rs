//! Sends the video filters to the compositor. The files that filters need are read here, each on a
//! separate thread. The previous content of a file stays in use until another file is read. Without
//! any content, the part that a mask should hide is not shown, and other filters pass frames
//! unchanged.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::base::Worker;
use crate::base::queue::{self, Empty, Full, Receiver};
use crate::capture;
use crate::compose::Compositor;
use crate::compose::filter::{
    Asset, AssetSupply, Cube, FilterAssets, MAX_CUBE_BYTES, Slot, Table, WantedFilter,
};
use crate::compose::scene::SourceId;
use crate::media::playback_control::SkippedFile;
use crate::studio::notices::message::StudioMessage;
use crate::studio::scenes::{Collection, MAIN_SOURCE};
use crate::studio::sources::missing_files::FileNews;
use crate::text::problem::{Problem, problem};

/// Maximum number of files that are read at the same time.
const MAX_READERS: usize = 4;

pub type Key = (Asset, PathBuf);

/// A file that a filter needs.
#[derive(Debug, Default)]
struct File {
    /// True if a filter that needs the file is enabled. While the filter is disabled, the content
    /// is kept. When the filter is enabled again, it uses the content at once, and the file is read
    /// again.
    on: bool,
    work: Work,
    /// The content as last read.
    material: Option<FilterAssets>,
    /// The reason why the file cannot be used, until it is read successfully.
    failed: Option<Problem>,
    /// True if the user requested another attempt, whose result is reported.
    asked: bool,
    /// The message that was reported.
    reported: Option<StudioMessage>,
}

#[derive(Debug, Default)]
enum Work {
    #[default]
    Done,
    /// The file is waiting to be read.
    Waiting,
    Reading {
        result: Receiver<Result<FilterAssets, Problem>>,
        _worker: Option<Worker>,
    },
}

/// The filters last sent to the compositor, and the files.
#[derive(Debug, Default)]
pub struct Filters {
    applied: BTreeMap<SourceId, Vec<WantedFilter>>,
    files: BTreeMap<Key, File>,
    /// Files for which an earlier message no longer applies.
    gone: Vec<String>,
    /// True if a test provides the content.
    #[cfg(test)]
    by_hand: bool,
}

/// Returns the file that a filter needs.
fn file_of(slot: &Slot) -> Option<Key> {
    let (asset, path) = slot.filter.file()?;
    (!path.as_os_str().is_empty()).then(|| (asset, path.to_owned()))
}

/// Returns the ids of all sources of a collection, and of its scenes and groups with filters.
fn ids(collection: &Collection) -> impl Iterator<Item = SourceId> {
    let composed = collection.composed_filters.keys().copied();
    collection.sources.iter().map(|source| source.id).chain([MAIN_SOURCE]).chain(composed)
}

impl Filters {
    /// Sends changed filters to the compositor.
    pub fn sync(&mut self, collection: &Collection, compositor: &Compositor) {
        let (mut known, mut on) = (BTreeSet::new(), BTreeSet::new());
        for slot in ids(collection).flat_map(|id| collection.filters(id)) {
            if let Some(key) = file_of(slot) {
                if slot.enabled {
                    on.insert(key.clone());
                }
                known.insert(key);
            }
        }
        let gone = &mut self.gone;
        self.files.retain(|key, file| {
            if file.on && !on.contains(key) {
                if file.reported.is_some() {
                    gone.push(key.1.display().to_string());
                }
                *file = File { material: file.material.take(), ..File::default() };
            }
            known.contains(key) && (on.contains(key) || file.material.is_some())
        });
        for key in on {
            let file = self.files.entry(key).or_default();
            if !file.on {
                (file.on, file.work) = (true, Work::Waiting);
            }
        }
        self.read_on();
        let mut wanted: BTreeMap<SourceId, Vec<WantedFilter>> = BTreeMap::new();
        for id in ids(collection) {
            let before = self.applied.get(&id).map(Vec::as_slice).unwrap_or_default();
            let list = self.supplied(collection.filters(id), before);
            if !list.is_empty() {
                wanted.insert(id, list);
            }
        }
        for id in self.applied.keys().filter(|id| !wanted.contains_key(id)) {
            compositor.set_filters(*id, Vec::new());
        }
        for (id, list) in &wanted {
            if self.applied.get(id) != Some(list) {
                compositor.set_filters(*id, list.clone());
            }
        }
        self.applied = wanted;
    }

    /// Adds the content of their files to these filters. A filter whose file is still being read
    /// continues with the content of the filter that was previously in its place.
    fn supplied(&self, slots: &[Slot], before: &[WantedFilter]) -> Vec<WantedFilter> {
        let same = |one: &Slot, other: &Slot| {
            one.filter.kind() == other.filter.kind() && one.filter.file() == other.filter.file()
        };
        let mut free: Vec<&WantedFilter> = before.iter().collect();
        let own = slots.iter().map(|slot| {
            let at = free.iter().position(|it| same(&it.slot, slot));
            at.map(|at| free.remove(at))
        });
        let own: Vec<Option<&WantedFilter>> = own.collect();
        let supply = |slot: &Slot| {
            let Some(key) = file_of(slot).filter(|_| slot.enabled) else {
                return AssetSupply::Nothing;
            };
            match self.files.get(&key) {
                Some(File { material: Some(material), .. }) => AssetSupply::There(material.clone()),
                Some(File { failed: Some(_), .. }) => AssetSupply::Lacking,
                _ => AssetSupply::Coming,
            }
        };
        let serves = |it: &WantedFilter, slot: &Slot| {
            it.slot.filter.kind() == slot.filter.kind()
                && matches!(it.material, AssetSupply::There(_) | AssetSupply::Lacking)
        };
        let list = slots.iter().zip(own).map(|(slot, own)| {
            let mut material = supply(slot);
            if material == AssetSupply::Coming {
                let mut other = || {
                    let at = free.iter().position(|it| serves(it, slot))?;
                    Some(free.remove(at))
                };
                // A slot that already existed keeps its state; only a new slot continues with the
                // state of another slot.
                let before = match own {
                    Some(own) => Some(own).filter(|it| serves(it, slot)),
                    None => other(),
                };
                material = before.map_or(AssetSupply::Coming, |it| it.material.clone());
            }
            WantedFilter { slot: slot.clone(), material }
        });
        list.collect()
    }

    /// Returns the filters of a source before the one with this index.
    pub fn before(&self, id: SourceId, index: usize) -> Vec<WantedFilter> {
        self.applied.get(&id).into_iter().flatten().take(index).cloned().collect()
    }

    /// Begins to read the next files.
    fn read_on(&mut self) {
        #[cfg(test)]
        if self.by_hand {
            return;
        }
        let reading = |file: &&File| matches!(file.work, Work::Reading { .. });
        let reading = self.files.values().filter(reading).count();
        let waiting = self.files.iter_mut().filter(|(_, file)| matches!(file.work, Work::Waiting));
        for ((asset, path), file) in waiting.take(MAX_READERS.saturating_sub(reading)) {
            let (tell, result) = queue::bounded("filter-file", 1, Full::DropOldest);
            let (asset, path) = (*asset, path.clone());
            let worker = Worker::spawn("filter-file", move |_| {
                // The filter may have been removed in the meantime.
                let _ = tell.send(read(asset, &path));
            });
            match worker {
                Ok(worker) => file.work = Work::Reading { result, _worker: Some(worker) },
                Err(error) => {
                    file.is_read(Err(problem!("source-no-thread", reason = error.to_string())));
                }
            }
        }
    }

    /// Takes the files that were read since the last call, and returns the messages. `main` is the
    /// name of the main video source.
    pub fn poll(
        &mut self,
        collection: &Collection,
        main: &str,
        compositor: &Compositor,
    ) -> FileNews {
        let mut done = false;
        for file in self.files.values_mut() {
            let Work::Reading { result, .. } = &file.work else { continue };
            let read = match result.try_recv() {
                Ok(read) => read,
                Err(Empty::Waiting) => continue,
                Err(Empty::Closed) => Err(problem!("file-unread")),
            };
            done = true;
            file.is_read(read);
        }
        if done {
            // Sources that share a file use it from the same frame on.
            let _held = compositor.hold();
            self.sync(collection, compositor);
        }
        self.news(collection, main)
    }

    /// Returns the new messages about files, and the files whose earlier messages no longer apply.
    fn news(&mut self, collection: &Collection, main: &str) -> FileNews {
        let mut news = FileNews { gone: std::mem::take(&mut self.gone), messages: Vec::new() };
        for ((asset, path), file) in &mut self.files {
            let shown = || path.display().to_string();
            let now = file.failed.as_ref().map(|reason| {
                let uses = uses(collection, (*asset, path.as_path()), main);
                uses.message(shown(), reason.clone())
            });
            // While the file is being read again at the user's request, there is no news.
            let again = file.asked && matches!(file.work, Work::Done);
            if file.reported == now && !again {
                continue;
            }
            file.asked = file.asked && !again;
            if file.reported.is_some() {
                news.gone.push(shown());
            }
            news.messages.extend(now.clone());
            file.reported = now;
        }
        news
    }

    /// Returns the files that cannot be used.
    pub fn failed(&self) -> impl Iterator<Item = &Path> {
        let failed = self.files.iter().filter(|(_, file)| file.failed.is_some());
        failed.map(|((_, path), _)| path.as_path())
    }

    /// Reads again the files that are due, or all files at the user's request.
    pub fn retry(&mut self, due: Option<&BTreeSet<PathBuf>>) {
        for ((_, path), file) in &mut self.files {
            let is_due = due.is_none_or(|due| due.contains(path));
            if is_due && file.failed.is_some() {
                file.asked |= due.is_none();
                if matches!(file.work, Work::Done) {
                    file.work = Work::Waiting;
                }
            }
        }
        self.read_on();
    }

    /// Returns true if filters of these sources wait for a file that was never read.
    pub fn awaits(&self, sources: &BTreeSet<SourceId>) -> bool {
        let mut slots = sources.iter().filter_map(|id| self.applied.get(id)).flatten();
        slots.any(|WantedFilter { slot, .. }| {
            let file = file_of(slot).filter(|_| slot.enabled);
            let file = file.and_then(|key| self.files.get(&key));
            file.is_some_and(|file| file.material.is_none() && file.failed.is_none())
        })
    }

    /// Returns the files of these filters that cannot be used, with the reasons.
    pub fn skipped_files(&self, slots: &[Slot]) -> Vec<SkippedFile> {
        let lack = |slot: &Slot| {
            let key = file_of(slot).filter(|_| slot.enabled)?;
            let reason = self.files.get(&key)?.failed.clone()?;
            Some(SkippedFile { path: key.1, reason })
        };
        slots.iter().filter_map(lack).collect()
    }

    /// Prepares for a new compositor, and keeps the content of files.
    pub fn anew(self) -> Self {
        Self { applied: BTreeMap::new(), ..self }
    }
}

#[cfg(test)]
impl Filters {
    /// Creates filters for tests, which read files only on request.
    pub fn by_hand() -> Self {
        Self { by_hand: true, ..Self::default() }
    }

    /// Returns the files that wait for [`Filters::give`].
    pub fn waiting(&self) -> Vec<Key> {
        let waiting = self.files.iter().filter(|(_, file)| matches!(file.work, Work::Waiting));
        waiting.map(|(key, _)| key.clone()).collect()
    }

    /// Provides the content of a file.
    pub fn give(&mut self, key: &Key, read: Result<FilterAssets, Problem>) {
        let Some(file) = self.files.get_mut(key) else { panic!("{key:?} is not wanted") };
        let (tell, result) = queue::bounded("filter-file", 1, Full::DropOldest);
        tell.send(read).unwrap();
        file.work = Work::Reading { result, _worker: None };
    }

    /// Returns the filters last sent to the compositor.
    pub fn applied(&self) -> &BTreeMap<SourceId, Vec<WantedFilter>> {
        &self.applied
    }
}

impl File {
    fn is_read(&mut self, read: Result<FilterAssets, Problem>) {
        self.work = Work::Done;
        (self.material, self.failed) = match read {
            Ok(material) => (Some(material), None),
            Err(reason) => (None, Some(reason)),
        };
    }
}

/// The users of a file.
struct FileUsers {
    /// The first source that uses the file.
    id: SourceId,
    names: Vec<String>,
    /// True if the file controls the visibility of these sources.
    hides: bool,
}

/// Returns the sources whose enabled filters use a file. If the file hides parts of some sources,
/// only these are returned.
fn uses(collection: &Collection, file: (Asset, &Path), main: &str) -> FileUsers {
    let all = |hides: bool| {
        let with = move |slot: &Slot| {
            let is_it = slot.enabled && slot.filter.file() == Some(file);
            is_it && (!hides || slot.filter.hides_by_file())
        };
        ids(collection).filter(move |id| collection.filters(*id).iter().any(with))
    };
    let hides = all(true).next().is_some();
    let name = |id| if id == MAIN_SOURCE { main } else { collection.source_name(id) }.to_owned();
    FileUsers {
        id: all(hides).next().unwrap_or(MAIN_SOURCE),
        names: all(hides).map(name).collect(),
        hides,
    }
}

impl FileUsers {
    fn message(self, path: String, reason: Problem) -> StudioMessage {
        let (id, source) = (self.id, self.names.join(", "));
        if self.hides {
            StudioMessage::MaskFailed { id, source, path, reason }
        } else {
            StudioMessage::FilterFailed { id, source, path, reason }
        }
    }
}

/// Reads a file. Fails with a reason if its content is not as expected.
fn read(asset: Asset, path: &Path) -> Result<FilterAssets, Problem> {
    match asset {
        Asset::Image => capture::still(path).map(|planes| FilterAssets::Image(Arc::new(planes))),
        Asset::Table => {
            let text = text(path)?;
            Cube::parse(&text).map(|cube| FilterAssets::Table(Arc::new(Table::new(&cube))))
        }
    }
}

fn text(path: &Path) -> Result<String, Problem> {
    // Opening a pipe would block until another process writes to it.
    if !fs::metadata(path)?.is_file() {
        return Err(problem!("io-not-a-file"));
    }
    let mut text = String::new();
    let file = fs::File::open(path)?;
    file.take(MAX_CUBE_BYTES + 1).read_to_string(&mut text)?;
    if text.len() as u64 > MAX_CUBE_BYTES {
        return Err(problem!("lut-file-too-large"));
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
    fn files_are_read_and_their_errors_are_reported() {
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
        assert!(filters.awaits(&[MAIN_SOURCE].into()) && !filters.awaits(&BTreeSet::new()));
        let begun = Instant::now();
        let settle = |filters: &mut Filters| {
            let (mut gone, mut messages) = (Vec::new(), Vec::new());
            while filters.files.values().any(|file| !matches!(file.work, Work::Done)) {
                assert!(begun.elapsed() < Duration::from_secs(60));
                let news = filters.poll(&collection, "Camera", &compositor);
                gone.extend(news.gone);
                messages.extend(news.messages.iter().map(|it| it.notice(0, "").summary()));
                std::thread::yield_now();
            }
            messages.sort();
            (gone, messages)
        };
        let (gone, messages) = settle(&mut filters);
        assert_eq!((gone.len(), messages.len()), (0, 4), "{messages:#?}");
        assert!(
            messages.iter().any(|it| it.contains("bad.cube") && it.contains("expected 8 colors"))
        );
        // For a mask the message differs, although a watermark uses the same file.
        let placeholder = |it: &&String| it.starts_with("Camera shows the placeholder");
        assert_eq!(messages.iter().filter(placeholder).count(), 1, "{messages:#?}");
        assert!(messages.iter().filter(placeholder).all(|it| it.contains("bad.png")));
        let supplies: Vec<&AssetSupply> =
            filters.applied[&MAIN_SOURCE].iter().map(|it| &it.material).collect();
        assert!(matches!(supplies[0], AssetSupply::There(_)));
        assert_eq!(supplies[1..6], [&AssetSupply::Lacking; 5]);
        assert_eq!(supplies[6], &AssetSupply::Nothing);
        assert!(!filters.awaits(&[MAIN_SOURCE].into()));
        let skipped = filters.skipped_files(&collection.main_filters);
        assert_eq!((skipped.len(), &skipped[0].path), (5, &path("bad.cube")));
        // An automatic retry reports only a new reason; a retry by the user reports every result.
        fs::write(path("bad.cube"), "LUT_3D_SIZE 2\n0 0 0\n1 1 1\n").unwrap();
        let due = [path("bad.cube"), path("bad.png")].into();
        filters.retry(Some(&due));
        let (gone, messages) = settle(&mut filters);
        assert_eq!((gone.len(), messages.len()), (1, 1), "{messages:#?}");
        assert!(gone[0].ends_with("bad.cube"));
        fs::write(path("bad.cube"), "LUT_1D_SIZE 2\n0 0 0\n1 1 1\n").unwrap();
        filters.retry(None);
        let (gone, messages) = settle(&mut filters);
        assert_eq!((gone.len(), messages.len()), (4, 3), "{messages:#?}");
        assert!(filters.failed().all(|it| it != path("bad.cube")));
        // A file that no filter needs is forgotten.
        filters.sync(&Collection::default(), &compositor);
        assert!(filters.files.is_empty() && filters.applied.is_empty());
        let news = filters.poll(&Collection::default(), "Camera", &compositor);
        assert_eq!((news.gone.len(), news.messages.len()), (3, 0));
    }
}
