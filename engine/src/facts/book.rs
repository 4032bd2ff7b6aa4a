//! Remembered things by id: the last so many events, orders, reviews or referred customers.
//!
//! A book is stored in two parts: the recent, written with every change of the customer, and the
//! older, to which the recent are moved sixteen at a time, so that a long memory is seldom
//! rewritten. What is forgotten from the older part is only counted (`skipped`) until that part is
//! written again.

use super::instant::Day;

/// How many entries wait in the recent part before they move.
pub const RECENT: usize = 16;

/// An id as it is remembered: personal data cannot be read back from it.
pub type Id = [u8; 16];

/// The id under which some text is remembered: BLAKE2b with 16 bytes.
pub fn hash_id(text: &[u8]) -> Id {
    hash_parts(&[text])
}

/// The id of several texts behind one another.
pub fn hash_parts(parts: &[&[u8]]) -> Id {
    let mut state = blake2b_simd::Params::new().hash_length(16).to_state();
    for part in parts {
        state.update(part);
    }
    let mut id = Id::default();
    id.copy_from_slice(state.finalize().as_bytes());
    id
}

/// The newest so many things by id, oldest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Book<E> {
    ids: Vec<Id>,
    entries: Vec<E>,
    /// How many of the oldest lie in the older part.
    shelved: usize,
    /// How many entries at the begin of the stored older part are forgotten.
    skipped: usize,
    /// The older part is not stored as it is here.
    older_changed: bool,
}

impl<E> Default for Book<E> {
    fn default() -> Self {
        let (ids, entries) = (Vec::new(), Vec::new());
        Self { ids, entries, shelved: 0, skipped: 0, older_changed: false }
    }
}

impl<E: Clone> Book<E> {
    /// Take what a stored record has: the older part with what is skipped of it, and the recent.
    pub fn from_parts(older: Vec<(Id, E)>, skipped: usize, recent: Vec<(Id, E)>) -> Self {
        let skipped = skipped.min(older.len());
        let shelved = older.len() - skipped;
        let (ids, entries) = older.into_iter().skip(skipped).chain(recent).unzip();
        Self { ids, entries, shelved, skipped, older_changed: false }
    }

    /// Take the recent part, and how much of the older part is skipped, before that comes.
    pub fn recent_alone(skipped: usize, recent: Vec<(Id, E)>) -> Self {
        Self { skipped, ..Self::from_parts(vec![], 0, recent) }
    }

    /// Put the older part before the recent.
    pub fn set_older(&mut self, older: Vec<(Id, E)>) {
        let recent =
            std::mem::take(&mut self.ids).into_iter().zip(std::mem::take(&mut self.entries));
        *self = Self::from_parts(older, self.skipped, recent.collect());
    }

    /// How many things are remembered.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether nothing is remembered.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// All ids, oldest first.
    pub fn ids(&self) -> &[Id] {
        &self.ids
    }

    /// All entries, oldest first.
    pub fn entries(&self) -> &[E] {
        &self.entries
    }

    /// The recent part.
    pub fn recent(&self) -> impl ExactSizeIterator<Item = (&Id, &E)> {
        self.ids[self.shelved..].iter().zip(&self.entries[self.shelved..])
    }

    /// The older part as it is to be stored.
    pub fn older(&self) -> impl ExactSizeIterator<Item = (&Id, &E)> {
        self.ids[..self.shelved].iter().zip(&self.entries[..self.shelved])
    }

    /// How many entries at the begin of the stored older part are forgotten.
    pub fn skipped(&self) -> usize {
        self.skipped
    }

    /// Whether there is an older part to store, or one that is stored and all skipped.
    pub fn has_older(&self) -> bool {
        self.shelved + self.skipped > 0
    }

    /// Whether the older part has to be written anew.
    pub fn older_changed(&self) -> bool {
        self.older_changed
    }

    /// The older part was written: with it went what was skipped.
    pub fn older_stored(&mut self) {
        self.older_changed = false;
    }

    /// Cut off what is forgotten: who is measured holds no more than what is remembered.
    pub fn cut(&mut self) {
        if self.skipped > 0 {
            self.older_touched();
        }
    }

    /// Have all parts written anew, as for a record that comes to another customer.
    pub fn store_anew(&mut self) {
        self.older_changed = self.has_older();
        if self.older_changed {
            self.skipped = 0;
        }
    }

    fn place(&self, id: &Id) -> Option<usize> {
        // The newest are asked for most.
        self.ids.iter().rposition(|known| known == id)
    }

    /// Whether an id is remembered.
    pub fn contains(&self, id: &Id) -> bool {
        self.place(id).is_some()
    }

    /// What is remembered under an id.
    pub fn get(&self, id: &Id) -> Option<&E> {
        self.place(id).map(|place| &self.entries[place])
    }

    /// Remember one more; gives the entry that is forgotten for it, if one is.
    pub fn add(&mut self, id: Id, entry: E, limit: usize) -> Option<E> {
        if self.ids.len() - self.shelved >= RECENT {
            self.shelve_all();
        }
        self.ids.push(id);
        self.entries.push(entry);
        (self.ids.len() > limit).then(|| self.forget_oldest())
    }

    fn forget_oldest(&mut self) -> E {
        self.ids.remove(0);
        if self.shelved > 0 {
            self.shelved -= 1;
            self.skipped += usize::from(!self.older_changed);
        }
        self.entries.remove(0)
    }

    fn shelve_all(&mut self) {
        self.shelved = self.ids.len();
        self.skipped = 0;
        self.older_changed = true;
    }

    fn older_touched(&mut self) {
        self.skipped = 0;
        self.older_changed = true;
    }

    /// Remember one that is older than others are: `add` for whoever comes late.
    ///
    /// What is forgotten is then what `add` would have forgotten had all come in order.
    pub fn insert(
        &mut self,
        id: Id,
        entry: E,
        limit: usize,
        day_of: impl Fn(&E) -> Day,
    ) -> Option<E> {
        let day = day_of(&entry);
        let place = self.entries.partition_point(|known| day_of(known) <= day);
        self.ids.insert(place, id);
        self.entries.insert(place, entry);
        let forgotten = (self.ids.len() > limit).then(|| {
            self.ids.remove(0);
            self.entries.remove(0)
        });
        if self.has_older() || self.ids.len() > RECENT {
            self.shelve_all();
        }
        forgotten
    }

    /// Change what is remembered under a known id; its age stays.
    pub fn replace(&mut self, id: &Id, entry: E) {
        if let Some(place) = self.place(id) {
            self.entries[place] = entry;
            if place < self.shelved {
                self.older_touched();
            }
        }
    }

    /// Forget an id; gives what was remembered under it.
    pub fn remove(&mut self, id: &Id) -> Option<E> {
        let place = self.place(id)?;
        self.ids.remove(place);
        if place < self.shelved {
            self.shelved -= 1;
            self.older_touched();
        }
        Some(self.entries.remove(place))
    }

    /// Replace everything, oldest first; `contents` are at most the limit.
    pub fn fill(&mut self, contents: Vec<(Id, E)>) {
        let had_older = self.has_older();
        (self.ids, self.entries) = contents.into_iter().unzip();
        self.shelve_all();
        self.older_changed = had_older || self.has_older();
    }
}
