//! The course of figures over the last minutes.

use eframe::egui::{Color32, RichText, Stroke, Ui};
use egui_plot::{GridMark, Line, Plot, PlotPoints};

use crate::theme::{self, size, space};
use crate::widgets::dot;

/// A line of the plot: its points are seconds before now (negative) and figures.
pub struct Series {
    pub name: String,
    pub color: Color32,
    pub points: Vec<[f64; 2]>,
    /// The newest figure in words.
    pub now: String,
}

/// Draws the lines over `seconds` seconds, with a legend that names their newest figures.
pub fn show(
    ui: &mut Ui,
    id: &str,
    series: &[Series],
    seconds: f64,
    plot_height: f32,
    ago: impl Fn(u64) -> String,
    figure: impl Fn(f64) -> String,
) {
    let tokens = theme::current(ui.ctx());
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = space::XS;
        for line in series {
            dot(ui, line.color);
            ui.label(
                RichText::new(&line.name)
                    .size(size::CAPTION)
                    .color(tokens.text_soft),
            )
            .on_hover_text(format!("{}: {}", line.name, line.now));
            ui.add_space(space::XXS);
        }
    });
    let highest = series
        .iter()
        .flat_map(|line| &line.points)
        .map(|point| point[1])
        .fold(0.0, f64::max);
    let top = (highest * 1.15).max(4.0);
    let step = nice_step(top / 3.0);
    ui.visuals_mut().override_text_color = Some(tokens.text_faint);
    Plot::new(id)
        .height(plot_height)
        .show_background(false)
        .allow_zoom(false)
        .allow_drag(false)
        .allow_scroll(false)
        .allow_boxed_zoom(false)
        .allow_double_click_reset(false)
        .show_x(false)
        .show_y(false)
        .grid_color(tokens.line)
        .x_grid_spacer(move |_| marks(-seconds, 0.0, seconds / 5.0))
        .y_grid_spacer(move |_| marks(0.0, top, step))
        .x_axis_formatter(move |mark: GridMark, _| ago((-mark.value).max(0.0).round() as u64))
        .y_axis_formatter(move |mark: GridMark, _| figure(mark.value))
        .y_axis_min_width(36.0)
        .show(ui, |plot| {
            plot.set_plot_bounds_x(-seconds * 1.04..=seconds * 0.05);
            plot.set_plot_bounds_y(0.0..=top);
            for line in series {
                plot.line(
                    Line::new(line.name.clone(), PlotPoints::from(line.points.clone()))
                        .stroke(Stroke::new(1.6, line.color))
                        .allow_hover(false),
                );
            }
        });
    ui.visuals_mut().override_text_color = None;
}

fn marks(from: f64, to: f64, step: f64) -> Vec<GridMark> {
    let count = ((to - from) / step).floor() as i32;
    (0..=count)
        .map(|at| GridMark {
            value: from + f64::from(at) * step,
            step_size: step,
        })
        .collect()
}

/// The next of 1, 2, 5, 10, 20 … at or above.
fn nice_step(least: f64) -> f64 {
    let power = 10_f64.powf(least.max(1.0).log10().floor());
    [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .map(|factor| factor * power)
        .find(|step| *step >= least)
        .unwrap_or(power * 10.0)
}

#[cfg(test)]
mod tests {
    use super::nice_step;

    #[test]
    fn steps_are_round() {
        for (least, want) in [
            (0.3, 1.0),
            (1.0, 1.0),
            (1.5, 2.0),
            (3.0, 5.0),
            (7.0, 10.0),
            (33.0, 50.0),
        ] {
            assert!(
                (nice_step(least) - want).abs() < 1e-9,
                "{least}: {}",
                nice_step(least)
            );
        }
    }
}
