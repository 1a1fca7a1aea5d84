use std::num::NonZero;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Calls `work` on every item, on as many threads as the machine has cores, and gives the answers in the items' order.
///
/// Items are begun in their order, so put the largest first. Memory is bounded by the items at work at once.
pub fn parallel_map<I: Sync, O: Send>(items: &[I], work: impl Fn(&I) -> O + Sync) -> Vec<O> {
    parallel_map_on(std::thread::available_parallelism().map_or(1, NonZero::get), items, work)
}

/// [`parallel_map`] on at most so many threads: for work that waits, or that others are to be spared.
pub fn parallel_map_on<I: Sync, O: Send>(threads: usize, items: &[I], work: impl Fn(&I) -> O + Sync) -> Vec<O> {
    let threads = threads.min(items.len());
    if threads <= 1 {
        return items.iter().map(work).collect();
    }
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::with_capacity(items.len()));
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let (index, Some(item)) = take(&next, items) {
                    let answer = work(item);
                    if let Ok(mut done) = done.lock() {
                        done.push((index, answer));
                    }
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_default();
    done.sort_unstable_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, answer)| answer).collect()
}

fn take<'a, I>(next: &AtomicUsize, items: &'a [I]) -> (usize, Option<&'a I>) {
    let index = next.fetch_add(1, Ordering::Relaxed);
    (index, items.get(index))
}

#[cfg(test)]
mod tests {
    #[test]
    fn keeps_the_order() {
        let items: Vec<u64> = (0..1000).collect();
        let squares = super::parallel_map(&items, |item| item * item);
        assert!(squares.iter().zip(&items).all(|(square, item)| *square == item * item));
        assert_eq!(squares.len(), 1000);
        assert_eq!(super::parallel_map_on(0, &items, |item| item * item), squares);
    }
}
