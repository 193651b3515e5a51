namespace Flapjack.Runtime.Schemas;

/// <summary>Which properties and items of one value its schemas have looked at; what is left is for the <c>unevaluated…</c> keywords.</summary>
internal sealed class SeenParts
{
    private HashSet<string>? _names;
    private HashSet<int>? _items;

    public void Add(string name) => (_names ??= new(StringComparer.Ordinal)).Add(name);

    public void Add(int item) => (_items ??= []).Add(item);

    public bool Has(string name) => _names?.Contains(name) == true;

    public bool Has(int item) => _items?.Contains(item) == true;

    public void Add(SeenParts other, SchemaCheck check)
    {
        foreach (var name in other._names ?? [])
        {
            if (!check.Spend()) return;
            Add(name);
        }
        foreach (var item in other._items ?? [])
        {
            if (!check.Spend()) return;
            Add(item);
        }
    }
}
