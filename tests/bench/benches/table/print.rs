//! The table.

/// One line: a figure, its bar and the floor it stands on.
pub(crate) struct Row {
    pub(crate) what: String,
    pub(crate) figure: String,
    pub(crate) bar: String,
    /// Nothing where there is no bar.
    pub(crate) met: Option<bool>,
    pub(crate) floor: String,
}

impl Row {
    /// A figure that should be at most `bar`; both in `unit`.
    pub(crate) fn at_most(what: &str, value: f64, bar: f64, unit: &str, floor: String) -> Self {
        Self {
            what: what.to_owned(),
            figure: format!("{value:.2} {unit}"),
            bar: format!("≤ {bar} {unit}"),
            met: Some(value <= bar),
            floor,
        }
    }

    /// A figure that should be less than the `best` of others; both in `unit`.
    pub(crate) fn ahead(what: &str, value: f64, best: f64, unit: &str, floor: String) -> Self {
        let row = Self::without_bar(what, value, unit, floor);
        Self { bar: "ahead of each".to_owned(), met: Some(value < best), ..row }
    }

    /// A figure to compare with.
    pub(crate) fn without_bar(what: &str, value: f64, unit: &str, floor: String) -> Self {
        let figure = format!("{value:.2} {unit}");
        Self { what: what.to_owned(), figure, bar: String::new(), met: None, floor }
    }

    /// A figure that should be at least `bar`; both in `unit`.
    pub(crate) fn at_least(what: &str, value: f64, bar: f64, unit: &str, floor: String) -> Self {
        Self {
            what: what.to_owned(),
            figure: format!("{value:.0} {unit}"),
            bar: format!("≥ {bar} {unit}"),
            met: Some(value >= bar),
            floor,
        }
    }
}

/// Prints the rows as a Markdown table.
pub(crate) fn table(rows: &[Row]) {
    println!("| what | measured | bar | | floor in the same run |");
    println!("| --- | --- | --- | --- | --- |");
    for Row { what, figure, bar, met, floor } in rows {
        let met = met.map_or("", |met| if met { "met" } else { "missed" });
        println!("| {what} | {figure} | {bar} | {met} | {floor} |");
    }
}

/// The value below which `share` of the samples lie.
pub(crate) fn quantile(samples: &mut [f64], share: f64) -> f64 {
    samples.sort_by(f64::total_cmp);
    let last = samples.len().saturating_sub(1);
    samples[((last as f64) * share).round() as usize]
}
