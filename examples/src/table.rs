//! Plain text tables: columns as wide as their widest cell.

use std::fmt;

/// Rows under a heading, each column aligned.
#[derive(Clone, Debug, Default)]
pub struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with this heading.
    #[must_use]
    pub fn new<const N: usize>(heading: [&str; N]) -> Self {
        Self { rows: vec![heading.map(str::to_owned).to_vec()] }
    }

    /// Adds a row.
    pub fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.rows.push(cells.to_vec());
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let width = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        for (index, row) in self.rows.iter().enumerate() {
            let line: String =
                row.iter().zip(&widths).map(|(cell, width)| format!("  {cell:<width$}")).collect();
            writeln!(f, "{}", line.trim_end())?;
            if index == 0 {
                let rule: String = widths.iter().map(|width| format!("  {}", "-".repeat(*width))).collect();
                writeln!(f, "{rule}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_lines_end_clean() {
        let mut table = Table::new(["to", "verdict"]);
        table.row(["bob@example.test".to_owned(), "valid".to_owned()]);
        table.row(["é".to_owned(), String::new()]);
        let text = table.to_string();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "  to                verdict");
        assert_eq!(lines[1], "  ----------------  -------");
        assert_eq!(lines[2], "  bob@example.test  valid");
        assert_eq!(lines[3], "  é");
    }
}
