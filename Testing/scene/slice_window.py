"""A slice view with a real window, off screen, that takes real mouse events; run it in a child process."""

import slicer
import vtk

MANAGERS = (
    "vtkMRMLCrosshairDisplayableManager",
    "vtkMRMLSegmentationsDisplayableManager2D",
    "vtkMRMLMarkupsDisplayableManager",
)


class SliceWindow:
    """Shows what a slice logic shows; points are (x, y) in pixels of the window, y up."""

    def __init__(self, host, view, size):
        host.scene.AddNode(slicer.vtkMRMLCrosshairNode())
        factory = slicer.vtkMRMLSliceViewDisplayableManagerFactory.GetInstance()
        factory.SetMRMLApplicationLogic(host.applicationLogic)
        for name in MANAGERS:
            if not factory.IsDisplayableManagerRegistered(name):
                factory.RegisterDisplayableManager(name)
        renderer = vtk.vtkRenderer()
        renderer.GetActiveCamera().ParallelProjectionOn()
        self.window = vtk.vtkRenderWindow()
        self.window.SetOffScreenRendering(True)
        self.window.AddRenderer(renderer)
        self.window.SetSize(*size)
        self.interactor = vtk.vtkRenderWindowInteractor()
        self.interactor.SetRenderWindow(self.window)
        self.interactor.Initialize()
        self.interactor.SetInteractorStyle(vtk.vtkInteractorStyleUser())
        self.group = slicer.vtkMRMLDisplayableManagerGroup()
        self.group.SetRenderer(renderer)
        self.group.Initialize(factory, renderer)
        self.group.SetMRMLDisplayableNode(view.node)
        self.style = slicer.vtkMRMLSliceViewInteractorStyle()
        self.style.SetSliceLogic(view.logic)
        self.style.SetDisplayableManagers(self.group)
        self.style.SetInteractor(self.interactor)
        self.window.Render()

    def mouse(self, event, x, y):
        self.interactor.SetEventInformation(int(x), int(y), 0, 0, chr(0), 0, None)
        getattr(self.interactor, f"{event}Event")()

    def click(self, x, y):
        for event in ("MouseMove", "LeftButtonPress", "LeftButtonRelease"):
            self.mouse(event, x, y)

    def drag(self, start, end):
        self.mouse("MouseMove", *start)
        self.mouse("LeftButtonPress", *start)
        self.mouse("MouseMove", *end)
        self.mouse("LeftButtonRelease", *end)
