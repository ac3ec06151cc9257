//! Converts a layout to a tree of tiles and back, and calculates the sizes of its parts.

use std::collections::HashMap;

use egui::{Rect, vec2};
use egui_tiles::{Container, Linear, LinearDir, Tabs, Tile, TileId, Tiles, Tree};

use crate::studio::settings::{Node, Panel};
use crate::ui::studio_page::go_live;
use crate::ui::style::theme::{gap, size};

/// The height of the panel with *Go Live*.
const CONTROLS_HEIGHT_POINTS: f32 = go_live::BUTTONS_HEIGHT_POINTS + 2.0 * gap::M;
/// The minimum width and height of the part that takes the remaining space, in points.
const MIN_REST_SIZE_POINTS: [f32; 2] = [300.0, 160.0];
/// The minimum height of a mixer below a tab bar: the bar, the strips and the space around them.
const MIN_TABBED_MIXER_HEIGHT: f32 = 146.0;
/// The initial height of the multiview.
const INITIAL_MULTIVIEW_HEIGHT_POINTS: f32 = 150.0;
/// The gap between parts.
pub(super) const PART_GAP_POINTS: f32 = 1.0;

/// Creates the tree of a layout, and stores the sizes of its parts in `sizes`.
pub(super) fn tree(root: &Node, sizes: &mut HashMap<TileId, f32>) -> Tree<Panel> {
    let mut tiles = Tiles::default();
    let root = plant(&mut tiles, root, sizes);
    Tree::new(egui::Id::unique("docks"), root, tiles)
}

fn plant(tiles: &mut Tiles<Panel>, node: &Node, sizes: &mut HashMap<TileId, f32>) -> TileId {
    match node {
        Node::Panel(panel) => {
            let pane = tiles.insert_pane(*panel);
            tiles.insert_tab_tile(vec![pane])
        }
        Node::Tabs { panels, active } => {
            let panes: Vec<TileId> = panels.iter().map(|it| tiles.insert_pane(*it)).collect();
            let mut tabs = Tabs::new(panes.clone());
            if let Some(active) = panes.get(*active) {
                tabs.set_active(*active);
            }
            tiles.insert_container(tabs)
        }
        Node::Split { row, parts } => {
            let dir = if *row { LinearDir::Horizontal } else { LinearDir::Vertical };
            let mut children = Vec::new();
            for (size, part) in parts {
                let id = plant(tiles, part, sizes);
                if let Some(size) = size {
                    sizes.insert(id, f32::from(*size));
                }
                children.push(id);
            }
            tiles.insert_container(Linear::new(dir, children))
        }
    }
}

/// Reads the layout of a tree. Returns `None` if the tree is empty.
pub(super) fn read(tree: &Tree<Panel>, sizes: &HashMap<TileId, f32>) -> Option<Node> {
    read_tile(&tree.tiles, tree.root()?, sizes)
}

fn read_tile(tiles: &Tiles<Panel>, id: TileId, sizes: &HashMap<TileId, f32>) -> Option<Node> {
    match tiles.get(id)? {
        Tile::Pane(panel) => Some(Node::Panel(*panel)),
        Tile::Container(Container::Linear(linear)) => {
            let rest = takes_rest(tiles, &linear.children, sizes);
            let part = |child: &TileId| {
                let node = read_tile(tiles, *child, sizes)?;
                let size = sizes.get(child).map(|size| size.round().clamp(40.0, 8_000.0) as u16);
                Some((size.filter(|_| Some(*child) != rest), node))
            };
            let parts: Vec<_> = linear.children.iter().filter_map(part).collect();
            only(parts, linear.dir == LinearDir::Horizontal)
        }
        Tile::Container(container) => {
            let panels: Vec<Panel> =
                container.children().filter_map(|id| tiles.get_pane(id).copied()).collect();
            let active = match container {
                Container::Tabs(tabs) => {
                    tabs.children.iter().position(|id| tabs.active == Some(*id))
                }
                _ => None,
            };
            match panels.as_slice() {
                [] => None,
                [panel] => Some(Node::Panel(*panel)),
                _ => Some(Node::Tabs { panels, active: active.unwrap_or_default() }),
            }
        }
    }
}

/// Combines several parts into a split. A single part needs no split.
fn only(mut parts: Vec<(Option<u16>, Node)>, row: bool) -> Option<Node> {
    match parts.len() {
        0 => None,
        1 => parts.pop().map(|(_, node)| node),
        _ => Some(Node::Split { row, parts }),
    }
}

fn holds(tiles: &Tiles<Panel>, id: TileId, fits: &impl Fn(Panel) -> bool) -> bool {
    match tiles.get(id) {
        Some(Tile::Pane(panel)) => fits(*panel),
        Some(Tile::Container(container)) => {
            container.children().any(|child| holds(tiles, *child, fits))
        }
        None => false,
    }
}

/// Selects the part that takes the remaining space: the only part without a size. If several parts
/// have no size, the function selects among these, and if every part has a size, among all: the
/// part with the players, or else the part with the program, or else the first part with any panel
/// except the controls.
fn takes_rest(
    tiles: &Tiles<Panel>,
    children: &[TileId],
    sizes: &HashMap<TileId, f32>,
) -> Option<TileId> {
    let free: Vec<TileId> =
        children.iter().copied().filter(|child| !sizes.contains_key(child)).collect();
    if let [one] = free.as_slice() {
        return Some(*one);
    }
    let among = if free.is_empty() { children } else { free.as_slice() };
    let find = |fits: &dyn Fn(Panel) -> bool| {
        among.iter().copied().find(|child| holds(tiles, *child, &|panel| fits(panel)))
    };
    find(&|panel| panel == Panel::Players)
        .or_else(|| find(&|panel| panel == Panel::Program))
        .or_else(|| find(&|panel| panel != Panel::Controls))
}

/// Returns the minimum height of a part. `titled` means that a single mixer has a tab bar.
fn least_height(tiles: &Tiles<Panel>, id: TileId, titled: bool) -> f32 {
    let is_mixer = |id: &TileId| tiles.get_pane(id) == Some(&Panel::Mixer);
    match tiles.get(id) {
        Some(Tile::Container(Container::Tabs(tabs)))
            if (titled || tabs.children.len() > 1) && tabs.children.iter().any(is_mixer) =>
        {
            MIN_TABBED_MIXER_HEIGHT
        }
        Some(Tile::Container(container)) => {
            let parts = container.children().map(|part| least_height(tiles, *part, titled));
            parts.fold(1.0, f32::max)
        }
        _ => 1.0,
    }
}

/// Gives each part its size in `room`. `titled` means that a single mixer has a tab bar. Returns
/// these sizes, and their ratio to the requested sizes.
pub(super) fn fit(
    tree: &mut Tree<Panel>,
    sizes: &HashMap<TileId, f32>,
    room: Rect,
    titled: bool,
) -> HashMap<TileId, (f32, f32)> {
    let mut given = HashMap::new();
    if let Some(root) = tree.root() {
        fit_tile(&mut tree.tiles, root, sizes, (room, titled), &mut given);
    }
    given
}

fn fit_tile(
    tiles: &mut Tiles<Panel>,
    id: TileId,
    sizes: &HashMap<TileId, f32>,
    (room, titled): (Rect, bool),
    given: &mut HashMap<TileId, (f32, f32)>,
) {
    let Some(Tile::Container(Container::Linear(linear))) = tiles.get(id) else { return };
    let (children, row) = (linear.children.clone(), linear.dir == LinearDir::Horizontal);
    let along = |rect: Rect| if row { rect.width() } else { rect.height() };
    let total = along(room) - PART_GAP_POINTS * children.len().saturating_sub(1) as f32;
    let rest = takes_rest(tiles, &children, sizes);
    let buttons = |id: TileId| !holds(tiles, id, &|panel| panel != Panel::Controls);
    let wanted = |id: TileId| match sizes.get(&id) {
        // A part that was just dropped here keeps the size at which it was drawn.
        None => tiles.rect(id).map_or(total / children.len() as f32, along),
        Some(size) => *size,
    };
    let narrow = if row && room.width() < size::NARROW_WINDOW_WIDTH { 0.87 } else { 1.0 };
    let fixed: f32 =
        children.iter().filter(|id| !row && buttons(**id)).count() as f32 * CONTROLS_HEIGHT_POINTS;
    let others = children.iter().copied().filter(|id| Some(*id) != rest && (row || !buttons(*id)));
    let sum: f32 = others.map(wanted).sum::<f32>() * narrow;
    let [across, down] = MIN_REST_SIZE_POINTS;
    let most = (total - fixed - if row { across } else { down }).max(0.0);
    let scale = if sum > most && sum > 0.0 { narrow * most / sum } else { narrow };
    let mut shares: Vec<(TileId, f32)> = Vec::new();
    for child in &children {
        let share = match !row && buttons(*child) {
            true => CONTROLS_HEIGHT_POINTS,
            false if row => (wanted(*child) * scale).max(1.0),
            false => (wanted(*child) * scale).max(least_height(tiles, *child, titled)),
        };
        shares.push((*child, share));
    }
    let used: f32 = shares.iter().filter(|(id, _)| Some(*id) != rest).map(|(_, size)| size).sum();
    for (id, share) in &mut shares {
        if Some(*id) == rest {
            *share = (total - used).max(1.0);
        } else if row || !buttons(*id) {
            given.insert(*id, (*share, scale));
        }
    }
    if let Some(Tile::Container(Container::Linear(linear))) = tiles.get_mut(id) {
        for (child, share) in &shares {
            linear.shares.set_share(*child, *share);
        }
    }
    let mut at = room.min;
    for (child, share) in shares {
        let size = if row { vec2(share, room.height()) } else { vec2(room.width(), share) };
        fit_tile(tiles, child, sizes, (Rect::from_min_size(at, size), titled), given);
        at += if row {
            vec2(share + PART_GAP_POINTS, 0.0)
        } else {
            vec2(0.0, share + PART_GAP_POINTS)
        };
    }
}

/// Stores the sizes that the user has changed, and the sizes of new parts.
pub(super) fn learn(
    tree: &Tree<Panel>,
    given: &HashMap<TileId, (f32, f32)>,
    sizes: &mut HashMap<TileId, f32>,
) {
    for tile in tree.tiles.tiles() {
        let Tile::Container(Container::Linear(linear)) = tile else { continue };
        for (id, share) in linear.shares.iter() {
            let Some((before, scale)) = given.get(id) else { continue };
            if !sizes.contains_key(id) || (share - before).abs() > 0.5 {
                sizes.insert(*id, share / scale.max(0.01));
            }
        }
    }
}

/// Inserts a hidden panel into matching tabs, or below the program, or beside all other panels.
pub(super) fn put_back(tree: &mut Tree<Panel>, panel: Panel, sizes: &mut HashMap<TileId, f32>) {
    let pane = tree.tiles.insert_pane(panel);
    if panel == Panel::Multiview && put_below_program(tree, pane, sizes) {
        return;
    }
    let close = match panel {
        Panel::Loudness => Some(Panel::Mixer),
        Panel::Danmaku => Some(Panel::Chat),
        _ => None,
    };
    let like = [
        Panel::Inspector,
        Panel::Broadcast,
        Panel::Chat,
        Panel::Share,
        Panel::Stats,
        Panel::EventLog,
        Panel::Loudness,
        Panel::Danmaku,
    ];
    let others = like.into_iter().filter(|_| like.contains(&panel));
    let parent = close.into_iter().chain(others).find_map(|it| {
        let known = tree.tiles.find_pane(&it).filter(|id| *id != pane)?;
        tree.tiles.parent_of(known)
    });
    if let Some(parent) = parent
        && let Some(Tile::Container(container)) = tree.tiles.get_mut(parent)
    {
        container.add_child(pane);
        return;
    }
    let Some(root) = tree.root() else {
        tree.root = Some(pane);
        return;
    };
    let children = vec![pane, root];
    tree.root = Some(tree.tiles.insert_container(Linear::new(LinearDir::Horizontal, children)));
}

/// Inserts a pane below the program, and returns true, if the tree contains the program.
fn put_below_program(
    tree: &mut Tree<Panel>,
    pane: TileId,
    sizes: &mut HashMap<TileId, f32>,
) -> bool {
    let Some(program) = tree.tiles.find_pane(&Panel::Program) else { return false };
    let Some(above) = tree.tiles.parent_of(program) else { return false };
    let around = tree.tiles.parent_of(above);
    let below = tree.tiles.insert_tab_tile(vec![pane]);
    let both = tree.tiles.insert_container(Linear::new(LinearDir::Vertical, vec![above, below]));
    sizes.insert(below, INITIAL_MULTIVIEW_HEIGHT_POINTS);
    if let Some(size) = sizes.get(&above).copied() {
        sizes.insert(both, size);
    }
    match around.and_then(|id| tree.tiles.get_mut(id)) {
        Some(Tile::Container(Container::Linear(linear))) => {
            for child in linear.children.iter_mut().filter(|child| **child == above) {
                *child = both;
            }
        }
        _ => tree.root = Some(both),
    }
    true
}
