// SPDX-License-Identifier: MIT OR Apache-2.0
//! Charts of lines, as SVG.

use std::ops::Range;
use std::path::Path;

use anyhow::{Context, Result};
use plotters::prelude::*;

/// One line of a chart.
#[derive(Clone, Debug)]
pub struct Line {
    name: String,
    points: Vec<(f64, f64)>,
    thin: bool,
}

impl Line {
    /// Through these points.
    pub fn new(name: &str, points: Vec<(f64, f64)>) -> Self {
        Self {
            name: name.to_string(),
            points,
            thin: false,
        }
    }

    /// A thin one of the colour of the line before, without points and name.
    pub fn thin(self) -> Self {
        Self { thin: true, ..self }
    }
}

/// A chart.
#[derive(Clone, Debug)]
pub struct Chart {
    title: String,
    x: String,
    y: String,
    logarithmic: (bool, bool),
}

impl Chart {
    /// With a title and names of the axes.
    pub fn new(title: &str, x: &str, y: &str) -> Self {
        Self {
            title: title.to_string(),
            x: x.to_string(),
            y: y.to_string(),
            logarithmic: (false, false),
        }
    }

    /// With powers of ten along x.
    pub fn logarithmic_x(mut self) -> Self {
        self.logarithmic.0 = true;
        self
    }

    /// With powers of ten along y.
    pub fn logarithmic_y(mut self) -> Self {
        self.logarithmic.1 = true;
        self
    }

    /// Draws it into a file.
    pub fn draw(&self, path: &Path, lines: &[Line]) -> Result<()> {
        let name = || format!("cannot draw {}", path.display());
        let mut text = String::new();
        self.draw_into(&mut text, lines).with_context(name)?;
        // The drawing ends without a line feed.
        text.push('\n');
        std::fs::write(path, text).with_context(name)
    }

    fn draw_into(&self, text: &mut String, lines: &[Line]) -> Result<()> {
        let mut shown = lines.to_vec();
        for line in &mut shown {
            line.points.retain(|(x, y)| x.is_finite() && y.is_finite());
        }
        let all = || shown.iter().flat_map(|line| &line.points);
        let x = range(all().map(|point| point.0), self.logarithmic.0, false);
        let y = range(all().map(|point| point.1), self.logarithmic.1, true);
        let area = SVGBackend::with_string(text, (860, 480)).into_drawing_area();
        area.fill(&WHITE)?;
        let mut builder = ChartBuilder::on(&area);
        builder
            .caption(&self.title, ("sans-serif", 20))
            .margin(12)
            .x_label_area_size(44)
            .y_label_area_size(64);
        // Each kind of axis is a type of its own.
        macro_rules! plot {
            ($x:expr, $y:expr) => {{
                let mut chart = builder.build_cartesian_2d($x, $y)?;
                chart
                    .configure_mesh()
                    .light_line_style(BLACK.mix(0.05))
                    .bold_line_style(BLACK.mix(0.12))
                    .x_desc(&self.x)
                    .y_desc(&self.y)
                    .x_label_formatter(&|value| label(*value))
                    .y_label_formatter(&|value| label(*value))
                    .label_style(("sans-serif", 13))
                    .draw()?;
                let mut colour = 0;
                for line in &shown {
                    let points = line.points.iter().copied();
                    if line.thin {
                        let style = Palette99::pick(colour.max(1) - 1).mix(0.6);
                        chart.draw_series(LineSeries::new(points, style.stroke_width(1)))?;
                        continue;
                    }
                    let style = Palette99::pick(colour).stroke_width(2);
                    colour += 1;
                    chart
                        .draw_series(LineSeries::new(points.clone(), style))?
                        .label(&line.name)
                        .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], style));
                    if line.points.len() <= 20 {
                        chart.draw_series(
                            points.map(|point| Circle::new(point, 3, style.filled())),
                        )?;
                    }
                }
                chart
                    .configure_series_labels()
                    .position(SeriesLabelPosition::UpperLeft)
                    .background_style(WHITE.mix(0.8))
                    .border_style(BLACK.mix(0.3))
                    .label_font(("sans-serif", 13))
                    .draw()?;
            }};
        }
        match self.logarithmic {
            (false, false) => plot!(x, y),
            (false, true) => plot!(x, y.log_scale()),
            (true, false) => plot!(x.log_scale(), y),
            (true, true) => plot!(x.log_scale(), y.log_scale()),
        }
        area.present()?;
        Ok(())
    }
}

/// What an axis shows: all values, from 0 if `zero`, and a little more.
fn range(values: impl Iterator<Item = f64>, logarithmic: bool, zero: bool) -> Range<f64> {
    let values = values.filter(|value| !logarithmic || *value > 0.0);
    let ends = values.fold(
        (f64::INFINITY, f64::NEG_INFINITY),
        |(least, most), value| (least.min(value), most.max(value)),
    );
    match ends {
        (least, most) if least > most => 0.1..1.0,
        (least, most) if logarithmic => least / 1.1..most * 1.3,
        (least, most) if zero && least >= 0.0 => 0.0..(most * 1.1).max(1e-9),
        (least, most) if least == most => least - 0.5..most + 0.5,
        (least, most) => least..most,
    }
}

fn label(value: f64) -> String {
    let text = if value != 0.0 && value.abs() < 0.1 {
        format!("{value:.4}")
    } else {
        format!("{value:.2}")
    };
    let text = text.trim_end_matches('0').trim_end_matches('.');
    text.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_names_are_drawn() {
        let line = Line::new("the line", vec![(1.0, 2.0), (2.0, f64::NAN), (10.0, 200.0)]);
        for chart in [
            Chart::new("the title", "to the right", "up"),
            Chart::new("the title", "to the right", "up").logarithmic_y(),
            Chart::new("the title", "to the right", "up")
                .logarithmic_x()
                .logarithmic_y(),
        ] {
            let mut text = String::new();
            chart
                .draw_into(&mut text, &[line.clone(), line.clone().thin()])
                .unwrap();
            for part in [
                "<svg",
                "the title",
                "to the right",
                "up",
                "the line",
                "</svg>",
            ] {
                assert!(text.contains(part), "no {part} in {text}");
            }
            assert!(!text.contains("NaN"));
        }
        let mut text = String::new();
        assert!(Chart::new("", "", "").draw_into(&mut text, &[]).is_ok());
    }
}
