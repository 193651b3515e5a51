namespace Flapjack.Server.Knowledge.Search;

/// <summary>Where a word occurs in a document, a few bytes a chunk: how many chunks after the last one, how often, and how long that chunk is.</summary>
internal static class Postings
{
    /// <summary>Lengths are kept in steps of so many words, which is exact enough to weigh by.</summary>
    private const int LengthStep = 4;

    /// <summary>Collects the postings of one document.</summary>
    internal sealed class Builder
    {
        private readonly Dictionary<string, List> _words = new(StringComparer.Ordinal);

        public IEnumerable<(string Word, int Hits, byte[] Data)> Words => _words.Select(pair => (pair.Key, pair.Value.Hits, pair.Value.Bytes.ToArray()));

        public int Count => _words.Count;

        /// <summary>Adds a chunk; positions grow. Returns how many words it has.</summary>
        public int Add(int position, List<string> words)
        {
            var counts = new Dictionary<string, int>(StringComparer.Ordinal);
            foreach (var word in words) counts[word] = counts.GetValueOrDefault(word) + 1;
            var length = (byte)Math.Clamp((words.Count + LengthStep - 1) / LengthStep, 1, 255);
            foreach (var (word, count) in counts)
            {
                if (!_words.TryGetValue(word, out var list)) _words.Add(word, list = new());
                list.Add(position, (byte)Math.Min(count, 255), length);
            }
            return words.Count;
        }

        private sealed class List
        {
            private int _next;

            public List<byte> Bytes { get; } = new(3);
            public int Hits { get; private set; }

            public void Add(int position, byte count, byte length)
            {
                var delta = (uint)(position - _next);
                while (delta >= 0x80)
                {
                    Bytes.Add((byte)(delta | 0x80));
                    delta >>= 7;
                }
                Bytes.Add((byte)delta);
                Bytes.Add(count);
                Bytes.Add(length);
                (_next, Hits) = (position + 1, Hits + 1);
            }
        }
    }

    /// <summary>Reads postings one after the other.</summary>
    internal ref struct Reader(ReadOnlySpan<byte> data)
    {
        private ReadOnlySpan<byte> _rest = data;
        private int _next;

        public int Position { get; private set; }
        public int Count { get; private set; }

        /// <summary>Of the chunk, in words.</summary>
        public int Length { get; private set; }

        public bool Read()
        {
            if (_rest.IsEmpty) return false;
            uint delta = 0;
            var (at, shift) = (0, 0);
            byte part;
            do
            {
                part = _rest[at++];
                delta |= (uint)(part & 0x7F) << shift;
                shift += 7;
            }
            while (part >= 0x80);
            (Position, Count, Length) = (_next + (int)delta, _rest[at], _rest[at + 1] * LengthStep);
            _next = Position + 1;
            _rest = _rest[(at + 2)..];
            return true;
        }
    }
}
