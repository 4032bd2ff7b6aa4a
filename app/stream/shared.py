"""What all stores of a process have together, and how each of them is set up."""

import rocksdict

_CACHE = 128 << 20
_BUFFERS = 32 << 20
_BUFFER = 16 << 20
_OPEN_FILES = 128
_NO_LIMIT = 1 << 30


class Shared:
    """What all stores of a process have together: one block cache, one limit of write buffers."""

    def __init__(self, cache: int = _CACHE, buffers: int = _BUFFERS) -> None:
        self._cache = rocksdict.Cache(cache)
        self._buffers = rocksdict.WriteBufferManager(buffers, False)

    def used(self) -> int:
        """Return how many bytes the block cache has taken."""
        used: int = self._cache.get_usage()
        return used

    def options(self) -> rocksdict.Options:
        """Return the options with which every store is opened."""
        blocks = rocksdict.BlockBasedOptions()
        blocks.set_block_cache(self._cache)
        blocks.set_bloom_filter(10, False)
        blocks.set_cache_index_and_filter_blocks(True)
        blocks.set_pin_l0_filter_and_index_blocks_in_cache(True)
        options = rocksdict.Options(raw_mode=True)
        options.create_if_missing(True)
        options.set_block_based_table_factory(blocks)
        options.set_write_buffer_manager(self._buffers)
        options.set_write_buffer_size(_BUFFER)
        options.set_max_open_files(_OPEN_FILES)
        options.set_compression_type(rocksdict.DBCompressionType.lz4())
        options.set_keep_log_file_num(2)
        # It names the first and last key of each file there ever was, until it is begun anew: so
        # that is with every file.
        options.set_max_manifest_file_size(1)
        # A write that is slowed down holds the interpreter: rather more files for a while.
        options.set_level_zero_slowdown_writes_trigger(_NO_LIMIT)
        options.set_level_zero_stop_writes_trigger(_NO_LIMIT)
        options.set_soft_pending_compaction_bytes_limit(0)
        options.set_hard_pending_compaction_bytes_limit(0)
        return options

    def filling(self) -> rocksdict.Options:
        """Return the options for a new store while much is written and nothing read.

        What is written is sorted when it goes to disk, in RocksDB's own thread.
        """
        options = self.options()
        options.set_disable_auto_compactions(True)
        options.set_allow_concurrent_memtable_write(False)
        options.set_memtable_factory(rocksdict.MemtableFactory.vector())
        options.set_max_write_buffer_number(4)
        return options
