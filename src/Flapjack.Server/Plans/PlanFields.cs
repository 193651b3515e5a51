using System.Text.Json;
using Flapjack.Server.Platform.Http;

namespace Flapjack.Server.Plans;

/// <summary>Checks what clients and models send about plans.</summary>
internal static class PlanFields
{
    public static void Title(FieldErrors errors, string? title) => errors.Required("title", title, Plan.MaxTitle);

    public static void Description(FieldErrors errors, string? description) => errors.Text("description", description, Plan.MaxDescription);

    public static void PlanStatus(FieldErrors errors, string? status) =>
        errors.OneOf("status", status, PlanStatuses.Draft, PlanStatuses.Approved, PlanStatuses.InProgress, PlanStatuses.Completed, PlanStatuses.Cancelled);

    /// <summary>A todo's status in the spelling used here; null when absent.</summary>
    public static string? TodoStatus(FieldErrors errors, string field, string? status)
    {
        if (status is null) return null;
        var known = TodoStatuses.Normalise(status);
        errors.OneOf(field, known, TodoStatuses.Pending, TodoStatuses.InProgress, TodoStatuses.Done, TodoStatuses.Skipped);
        return known;
    }

    /// <summary>Nested todos as one list, depth first.</summary>
    public static List<SketchedTodo> Sketches(FieldErrors errors, List<SketchedTodoRequest?>? todos)
    {
        var list = new List<SketchedTodo>();
        var places = new List<string>();
        Walk(todos, "todos", null, 1);
        for (var i = 0; i < list.Count; i++)
        {
            for (var j = 0; j < list[i].BlockedBy.Count; j++)
            {
                if (list[i].BlockedBy[j] is var place && (place < 0 || place >= list.Count)) errors.Add($"{places[i]}.blockedBy[{j}]", "is no place in the list");
            }
        }
        return list;

        void Walk(List<SketchedTodoRequest?>? siblings, string path, int? parent, int level)
        {
            for (var i = 0; i < siblings?.Count; i++)
            {
                var at = $"{path}[{i}]";
                var todo = siblings[i] ?? throw ApiException.BadRequest($"{at}: must be an object");
                errors.Required($"{at}.content", todo.Content.Value, Todo.MaxContent);
                list.Add(new(todo.Content.Value ?? "", parent, todo.BlockedBy.Value ?? []));
                places.Add(at);
                if (ChildrenOf(todo, at) is not { Count: > 0 } children) continue;
                if (level == PlanTree.MaxLevels) errors.Add($"{at}.children", $"is nested deeper than {PlanTree.MaxLevels} levels");
                else Walk(children, $"{at}.children", list.Count - 1, level + 1);
            }
        }
    }

    // Not typed in the request: the API's description cannot show a type that holds itself.
    private static List<SketchedTodoRequest?>? ChildrenOf(SketchedTodoRequest todo, string path)
    {
        try
        {
            return todo.Children.Value?.Deserialize<List<SketchedTodoRequest?>>(WireJson.Requests);
        }
        catch (JsonException fault)
        {
            throw ApiException.BadRequest($"{path}.children{OptionalPath.Of(fault) switch { null => "", ['[', ..] and var inside => inside, var inside => "." + inside }}: has the wrong type");
        }
    }

    /// <summary>A todo to add; <paramref name="path"/> stands before the names of its fields.</summary>
    public static TodoDraft NewTodo(FieldErrors errors, NewTodoRequest todo, string path)
    {
        errors.Required($"{path}content", todo.Content.Value, Todo.MaxContent);
        var parent = errors.Id($"{path}parentId", todo.ParentId.Value);
        errors.Range($"{path}position", todo.Position.Value, 0, int.MaxValue);
        var status = TodoStatus(errors, $"{path}status", todo.Status.Value);
        var blockers = (todo.BlockedBy.Value ?? []).Select((id, i) => errors.Id($"{path}blockedBy[{i}]", id ?? throw ApiException.BadRequest($"{path}blockedBy[{i}]: must be a string"))).OfType<Guid>().ToList();
        return new(todo.Content.Value ?? "", parent, todo.Position.Value, status ?? TodoStatuses.Pending) { BlockedBy = blockers };
    }
}
