//! The lines of a text, by their places: found once, so that who asks for many does not count from the top each time.

use std::ops::Range;

/// The lines of a text.
pub struct Lines<'t> {
    text: &'t str,
    /// Where each begins.
    starts: Vec<usize>,
}

impl<'t> Lines<'t> {
    /// Finds the lines of `text`.
    pub fn of(text: &'t str) -> Lines<'t> {
        let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Lines { text, starts }
    }

    /// Returns the line of a place, from one.
    pub fn line(&self, at: usize) -> usize {
        self.starts.partition_point(|&start| start <= at)
    }

    /// Returns the line and the column of a place, both counted from one, the column in characters.
    pub fn place(&self, at: usize) -> (usize, usize) {
        let line = self.line(at);
        let before = &self.text[self.starts[line - 1]..self.text.floor_char_boundary(at)];
        (line, before.chars().count() + 1)
    }

    /// Returns what is a line and less away from `span`, whole lines, and the number of the first.
    pub fn around(&self, span: &Range<usize>) -> (Range<usize>, usize) {
        let first = self.line(span.start).saturating_sub(1).max(1);
        let end = self.starts.get(self.line(span.end) + 1).copied().unwrap_or(self.text.len());
        (self.starts[first - 1]..end, first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted_from_one_in_characters() {
        let lines = Lines::of("a\nbé c\n");
        assert_eq!([0, 1, 2, 6, 8].map(|at| lines.place(at)), [(1, 1), (1, 2), (2, 1), (2, 4), (3, 1)]);
    }

    #[test]
    fn a_place_is_shown_with_its_neighbours() {
        let lines = Lines::of("a\nb\nc\nd\ne");
        assert_eq!(lines.around(&(0..1)), (0..4, 1));
        assert_eq!(lines.around(&(4..5)), (2..8, 2));
        assert_eq!(lines.around(&(8..9)), (6..9, 4));
        assert_eq!(Lines::of("").around(&(0..0)), (0..0, 1));
    }
}
