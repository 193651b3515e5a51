using System.Text.Json;
using System.Text.Json.Serialization;

namespace Flapjack.Server.Platform.Http;

/// <summary>A request field that tells absent, null and value apart: absent leaves a setting as it is, null clears it.</summary>
[JsonConverter(typeof(OptionalConverterFactory))]
public readonly struct Optional<T> : IOptional, IEquatable<Optional<T>>
{
    /// <summary>A field that was sent.</summary>
    public Optional(T? value)
    {
        Value = value;
        IsSet = true;
    }

    /// <summary>True when the field was in the request, null included.</summary>
    public bool IsSet { get; }

    /// <summary>The value sent; default when absent or null.</summary>
    public T? Value { get; }

    /// <inheritdoc/>
    public bool Equals(Optional<T> other) => IsSet == other.IsSet && EqualityComparer<T?>.Default.Equals(Value, other.Value);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is Optional<T> other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(IsSet, Value);

    /// <summary>Equality of presence and value.</summary>
    public static bool operator ==(Optional<T> left, Optional<T> right) => left.Equals(right);

    /// <summary>Inequality of presence or value.</summary>
    public static bool operator !=(Optional<T> left, Optional<T> right) => !left.Equals(right);

    /// <summary>A field that was sent.</summary>
#pragma warning disable CA2225 // The constructor is the named alternative.
    public static implicit operator Optional<T>(T? value) => new(value);
#pragma warning restore CA2225
}

/// <summary>Lets the serializer see whether an <see cref="Optional{T}"/> was sent without knowing its type.</summary>
internal interface IOptional
{
    bool IsSet { get; }
}

internal sealed class OptionalConverterFactory : JsonConverterFactory
{
    public override bool CanConvert(Type typeToConvert) => typeToConvert.IsGenericType && typeToConvert.GetGenericTypeDefinition() == typeof(Optional<>);

    public override JsonConverter CreateConverter(Type typeToConvert, JsonSerializerOptions options) =>
        (JsonConverter)Activator.CreateInstance(typeof(OptionalConverter<>).MakeGenericType(typeToConvert.GetGenericArguments()))!;
}

internal sealed class OptionalConverter<T> : JsonConverter<Optional<T>>
{
    public override bool HandleNull => true;

    public override Optional<T> Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        reader.TokenType == JsonTokenType.Null ? new(default) : new(ReadValue(ref reader, options));

    // The serializer completes the path of a fault only when it has none, so the part found inside travels beside it.
    private static T? ReadValue(ref Utf8JsonReader reader, JsonSerializerOptions options)
    {
        try
        {
            return JsonSerializer.Deserialize<T>(ref reader, options);
        }
        catch (JsonException inner)
        {
            throw OptionalPath.Wrap(inner);
        }
    }

    public override void Write(Utf8JsonWriter writer, Optional<T> value, JsonSerializerOptions options) => JsonSerializer.Serialize(writer, value.Value, options);
}

/// <summary>Where in a request a fault lies, put together across nested <see cref="Optional{T}"/> fields.</summary>
internal static class OptionalPath
{
    private const string Rest = "path inside";

    public static JsonException Wrap(JsonException inner)
    {
        var outer = inner.InnerException is null ? new JsonException(inner.Message) : new JsonException(inner.Message, inner.InnerException);
        outer.Data[Rest] = Tail(inner);
        return outer;
    }

    /// <summary>The path as the contract spells it: <c>envVars[0].key</c>; null when the fault lies in the body as a whole.</summary>
    public static string? Of(JsonException? exception)
    {
        var path = exception is null ? "" : Tail(exception).TrimStart('.');
        return path.Length == 0 ? null : path;
    }

    private static string Tail(JsonException exception) => exception.Path?[1..] + exception.Data[Rest];
}
