using Flapjack.Server.Agents.Equipment;
using Flapjack.Server.Plans.Tools;
using Flapjack.Server.Threads;

namespace Flapjack.Server.Plans;

internal static class PlansFeature
{
    public static IServiceCollection AddPlans(this IServiceCollection services) => services
        .AddSingleton<PlanStore>()
        .AddScoped<IThreadDependant, PlanRemoval>()
        .AddSingleton<IToolSource, PlanTools>()
        .AddSingleton<IPromptSource, PlanPrompt>();

    public static void MapPlans(this IEndpointRouteBuilder app)
    {
        PlanConfigEndpoints.Map(app);
        PlanEndpoints.Map(app);
        TodoEndpoints.Map(app);
    }
}
