//! Cutting a list that is held in memory down to the page that was asked for.

use std::cmp::Ordering;

use shared::protocol::{Page, Rows};

const LIMIT_DEFAULT: u64 = 100;
const LIMIT_MAX: u64 = 10_000;

/// Filters by what `words` gives of a row, sorts by `order` of the named column, and cuts.
pub(crate) fn cut<T>(
    mut rows: Vec<T>,
    page: &Page,
    words: impl Fn(&T) -> String,
    order: impl Fn(&str, &T, &T) -> Ordering,
) -> Rows<T> {
    let wanted = page.filter.to_lowercase();
    if !wanted.is_empty() {
        rows.retain(|row| words(row).to_lowercase().contains(&wanted));
    }
    if !page.sort.is_empty() {
        rows.sort_by(|a, b| order(&page.sort, a, b));
    }
    if page.descending {
        rows.reverse();
    }
    let total = rows.len() as u64;
    let limit = if page.limit == 0 {
        LIMIT_DEFAULT
    } else {
        page.limit.min(LIMIT_MAX)
    };
    let rows = rows
        .into_iter()
        .skip(page.offset as usize)
        .take(limit as usize)
        .collect();
    Rows { total, rows }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filter_sort_and_window_are_applied_in_that_order() {
        let page = Page {
            filter: "A".to_owned(),
            sort: "n".to_owned(),
            descending: true,
            offset: 1,
            limit: 1,
        };
        let rows = vec![("ab", 1), ("ca", 3), ("x", 9), ("ad", 2)];
        let cut = cut(rows, &page, |row| row.0.to_owned(), |_, a, b| a.1.cmp(&b.1));
        assert_eq!((cut.total, cut.rows), (3, vec![("ad", 2)]));
    }
}
