//! The program's mark: an envelope whose flap is a bat's wings.

use eframe::egui::{self, Color32, Pos2, Rect, Shape, Stroke, Ui, Vec2};

use crate::theme;

pub fn mark(ui: &mut Ui, side: f32) {
    let tokens = theme::current(ui.ctx());
    let (rect, _) = ui.allocate_exact_size(Vec2::splat(side), egui::Sense::empty());
    let ink = if tokens.dark { tokens.paper } else { Color32::WHITE };
    ui.painter().rect_filled(rect, side * 0.24, tokens.accent);
    for shape in wings(rect, ink, tokens.accent) {
        ui.painter().add(shape);
    }
}

/// The wings as convex pieces, and the envelope's body under them.
fn wings(rect: Rect, ink: Color32, ground: Color32) -> Vec<Shape> {
    let at = |x: f32, y: f32| Pos2::new(rect.left() + rect.width() * x, rect.top() + rect.height() * y);
    let body = Rect::from_min_max(at(0.18, 0.34), at(0.82, 0.76));
    let line = Stroke::new(rect.width() * 0.055, ground);
    let mut shapes = vec![Shape::rect_filled(body, rect.width() * 0.07, ink)];
    // The flap's lower edge is a row of arcs, as a wing's is.
    let edge = [
        (0.18, 0.36),
        (0.30, 0.50),
        (0.40, 0.49),
        (0.50, 0.62),
        (0.60, 0.49),
        (0.70, 0.50),
        (0.82, 0.36),
    ];
    shapes.push(Shape::line(edge.map(|(x, y)| at(x, y)).to_vec(), line));
    // Two ears over the envelope's edge.
    for (left, tip, right) in [(0.40, 0.415, 0.48), (0.52, 0.585, 0.60)] {
        shapes.push(Shape::convex_polygon(
            vec![at(left, 0.35), at(tip, 0.23), at(right, 0.35)],
            ink,
            Stroke::NONE,
        ));
    }
    shapes
}

/// The window's icon, drawn the same way at 64 pixels a side.
pub fn icon() -> egui::IconData {
    const SIDE: u32 = 64;
    let mut rgba = Vec::with_capacity((SIDE * SIDE * 4) as usize);
    for y in 0..SIDE {
        for x in 0..SIDE {
            let (u, v) = ((x as f32 + 0.5) / SIDE as f32, (y as f32 + 0.5) / SIDE as f32);
            rgba.extend_from_slice(&pixel(u, v));
        }
    }
    egui::IconData {
        rgba,
        width: SIDE,
        height: SIDE,
    }
}

fn pixel(u: f32, v: f32) -> [u8; 4] {
    let accent = theme::tokens::LIGHT.accent;
    let corner = 0.24;
    let (dx, dy) = (
        (corner - u.min(1.0 - u)).max(0.0),
        (corner - v.min(1.0 - v)).max(0.0),
    );
    if dx.hypot(dy) > corner {
        return [0; 4];
    }
    let body = (0.18..=0.82).contains(&u) && (0.34..=0.76).contains(&v);
    // Distance of the flap's edge, taken as straight lines on the mirrored half.
    let half = if u > 0.5 { 1.0 - u } else { u };
    let edge = match half {
        x if x < 0.30 => 0.36 + (x - 0.18) / 0.12 * 0.14,
        x if x < 0.40 => 0.50 - (x - 0.30) * 0.1,
        x => 0.49 + (x - 0.40) / 0.10 * 0.13,
    };
    let flap = body && (v - edge).abs() < 0.035;
    let ear =
        (0.40..=0.48).contains(&half) && v < 0.35 && v > 0.35 - 0.12 * (1.0 - (half - 0.42).abs() / 0.06);
    if (body && !flap) || ear {
        [255; 4]
    } else {
        [accent.r(), accent.g(), accent.b(), 255]
    }
}
