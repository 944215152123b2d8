//! The table.

/// One line: a figure, its bar and the floor it stands on.
pub(crate) struct Row {
    pub(crate) what: String,
    pub(crate) figure: String,
    pub(crate) bar: String,
    pub(crate) met: bool,
    pub(crate) floor: String,
}

impl Row {
    /// A figure that should be at most `bar`; both in `unit`.
    pub(crate) fn at_most(what: &str, value: f64, bar: f64, unit: &str, floor: String) -> Self {
        Self {
            what: what.to_owned(),
            figure: format!("{value:.2} {unit}"),
            bar: format!("≤ {bar} {unit}"),
            met: value <= bar,
            floor,
        }
    }

    /// A figure that should be at least `bar`; both in `unit`.
    pub(crate) fn at_least(what: &str, value: f64, bar: f64, unit: &str, floor: String) -> Self {
        Self {
            what: what.to_owned(),
            figure: format!("{value:.0} {unit}"),
            bar: format!("≥ {bar} {unit}"),
            met: value >= bar,
            floor,
        }
    }
}

/// Prints the rows as a Markdown table.
pub(crate) fn table(rows: &[Row]) {
    println!("| what | measured | bar | | floor in the same run |");
    println!("| --- | --- | --- | --- | --- |");
    for Row { what, figure, bar, met, floor } in rows {
        println!("| {what} | {figure} | {bar} | {} | {floor} |", if *met { "met" } else { "missed" });
    }
}

/// The value below which `share` of the samples lie.
pub(crate) fn quantile(samples: &mut [f64], share: f64) -> f64 {
    samples.sort_by(f64::total_cmp);
    let last = samples.len().saturating_sub(1);
    samples[((last as f64) * share).round() as usize]
}
