using Flapjack.Knowledge.Bench;

// bench/knowledge/run [chunks …] — see bench/README.md.
var sizes = args.Where(a => int.TryParse(a, out _)).Select(int.Parse).DefaultIfEmpty(10_000).ToList();
var data = Directory.CreateTempSubdirectory("flapjack-knowledge-bench-").FullName;
try
{
    if (!args.Contains("--only-quality"))
    {
        foreach (var size in sizes) await SpeedBench.RunAsync(data, size, clustered: false);
        foreach (var size in sizes) await SpeedBench.RunAsync(data, size, clustered: true);
        await SpeedBench.IngestAsync(data);
    }
    await QualityBench.RunAsync(data, args.FirstOrDefault(a => a.StartsWith("--model=", StringComparison.Ordinal))?[8..] ?? "flapjack-offline/words");
}
finally
{
    Directory.Delete(data, recursive: true);
}
